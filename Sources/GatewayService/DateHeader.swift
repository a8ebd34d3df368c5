internal import Glibc
internal import Synchronization

/// The value of the header `date`, written once a second.
final class DateHeader: Sendable {
    private let state = Mutex((second: -1, text: ""))
    /// Seconds since 1970.
    private let unixTime: @Sendable () -> Int

    init(unixTime: @escaping @Sendable () -> Int) {
        self.unixTime = unixTime
    }

    var now: String {
        let second = unixTime()
        return state.withLock { state in
            if state.second != second { state = (second, Self.text(second)) }
            return state.text
        }
    }

    /// A time as RFC 9110 wants it: `Sun, 06 Nov 1994 08:49:37 GMT`.
    static func text(_ second: Int) -> String {
        let days = ["Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"]
        let months = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"]
        var (time, parts) = (time_t(second), tm())
        gmtime_r(&time, &parts)
        func digits(_ number: Int32) -> String { number < 10 ? "0\(number)" : "\(number)" }
        return "\(days[Int(parts.tm_wday)]), \(digits(parts.tm_mday)) \(months[Int(parts.tm_mon)]) "
            + "\(1900 + parts.tm_year) \(digits(parts.tm_hour)):\(digits(parts.tm_min)):\(digits(parts.tm_sec)) GMT"
    }
}
