/// Times such as `2023-11-16 18:17:03.9799600` and `2024-05-10 00:00:00.009930+00:00`.
enum CalendarTime {
    /// Nanoseconds since the beginning of 1970 (UTC), or nil if the text is no such time or lies outside 1970 to 2200.
    ///
    /// A time without an offset counts as UTC. Digits beyond the ninth of a fraction are dropped.
    static func nanoseconds(_ text: ByteText) -> Int64? {
        var cursor = Cursor(text: text)
        guard let year = cursor.digits(4), cursor.skip("-"), let month = cursor.digits(2), cursor.skip("-"),
            let day = cursor.digits(2), cursor.skip(" ") || cursor.skip("T"),
            let hour = cursor.digits(2), cursor.skip(":"), let minute = cursor.digits(2), cursor.skip(":"),
            let second = cursor.digits(2), (1970..<2200).contains(year), (1...12).contains(month),
            (1...daysOfMonth(month, year)).contains(day), hour < 24, minute < 60, second < 61,
            let fraction = cursor.fraction(), let offset = cursor.offsetMinutes(), cursor.isAtEnd
        else { return nil }
        let minutes = (days(year, month, day) * 24 + hour) * 60 + minute - offset
        return Int64((minutes * 60 + second) * 1_000_000_000 + fraction)
    }

    private static func isLeap(_ year: Int) -> Bool { year % 4 == 0 && (year % 100 != 0 || year % 400 == 0) }

    private static func daysOfMonth(_ month: Int, _ year: Int) -> Int {
        switch month {
        case 2: isLeap(year) ? 29 : 28
        case 4, 6, 9, 11: 30
        default: 31
        }
    }

    /// Days since the beginning of 1970.
    private static func days(_ year: Int, _ month: Int, _ day: Int) -> Int {
        let before = year - 1
        let leapDays = before / 4 - before / 100 + before / 400 - (1969 / 4 - 1969 / 100 + 1969 / 400)
        let months = (1..<month).reduce(0) { $0 + daysOfMonth($1, year) }
        return (year - 1970) * 365 + leapDays + months + day - 1
    }

    private struct Cursor {
        let text: ByteText
        var index: Int

        init(text: ByteText) {
            self.text = text
            index = text.range.lowerBound
        }

        var isAtEnd: Bool { index == text.range.upperBound }

        mutating func digits(_ count: Int) -> Int? {
            guard index + count <= text.range.upperBound else { return nil }
            var value = 0
            for _ in 0..<count {
                guard let digit = ByteText.digit(text.bytes[index]) else { return nil }
                value = value * 10 + digit
                index += 1
            }
            return value
        }

        mutating func skip(_ character: Unicode.Scalar) -> Bool {
            guard !isAtEnd, text.bytes[index] == UInt8(ascii: character) else { return false }
            index += 1
            return true
        }

        /// Nanoseconds; 0 if there is no fraction, nil if there is a point without digits.
        mutating func fraction() -> Int? {
            guard skip(".") else { return 0 }
            var value = 0
            var count = 0
            while !isAtEnd, let digit = ByteText.digit(text.bytes[index]) {
                if count < 9 { value = value * 10 + digit }
                count += 1
                index += 1
            }
            guard count > 0 else { return nil }
            for _ in 0..<max(0, 9 - count) { value *= 10 }
            return value
        }

        mutating func offsetMinutes() -> Int? {
            if isAtEnd || skip("Z") { return 0 }
            let sign: Int
            if skip("+") { sign = 1 } else if skip("-") { sign = -1 } else { return nil }
            guard let hours = digits(2) else { return nil }
            _ = skip(":")
            guard let minutes = digits(2), hours < 24, minutes < 60 else { return nil }
            return sign * (hours * 60 + minutes)
        }
    }
}
