internal import ArgumentParser
internal import Foundation

/// When a key is to expire, as it is said on a command line and shown in a table.
enum KeyExpiry {
    /// - Parameter text: days or hours from now, `90d` or `12h`, or the day at whose beginning (UTC) it is good no longer.
    /// - Returns: seconds since 1970.
    static func time(_ text: String, now: Int) throws -> Int {
        if let unit = text.last, let seconds = ["h": 3600, "d": 86_400][String(unit)],
            let count = Int(text.dropLast()), (1...100_000).contains(count)
        {
            return now + count * seconds
        }
        guard let day = try? Date(text, strategy: days), text.count == 10 else {
            throw ValidationError("--expires is '\(text)'; it must be like 90d, 12h or 2027-01-31")
        }
        let time = Int(day.timeIntervalSince1970)
        guard time > now else { throw ValidationError("--expires is '\(text)', which is past") }
        return time
    }

    static func text(_ time: Int) -> String {
        Date(timeIntervalSince1970: Double(time)).formatted(.iso8601)
    }

    private static let days = Date.ISO8601FormatStyle().year().month().day()
}
