/// The colours of series: after Okabe and Ito, told apart by people who see few colours, in light and in dark.
package enum SeriesColour: Int, CaseIterable, Hashable, Sendable {
    case blue
    case vermillion
    case green
    case purple
    case amber
    case sky
    case indigo
    case grey

    /// The class that the style sheet knows the colour by.
    var cssClass: String { "c\(rawValue + 1)" }

    /// One colour for each series: the one it asked for, or else the first that nobody has yet.
    static func assigned(to requests: [SeriesColour?]) -> [SeriesColour] {
        var uses = [Int](repeating: 0, count: allCases.count)
        for request in requests {
            if let request { uses[request.rawValue] += 1 }
        }
        return requests.map { request in
            if let request { return request }
            let next = allCases.min { uses[$0.rawValue] < uses[$1.rawValue] } ?? .blue
            uses[next.rawValue] += 1
            return next
        }
    }
}
