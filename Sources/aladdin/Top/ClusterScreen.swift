internal import Foundation
internal import Messages
internal import ServingModel

/// The cluster as a terminal shows it: the live page's twin, drawn from two answers of the broker.
struct ClusterScreen {
    /// An answer and when it came, in seconds of any clock.
    struct Moment {
        var status: ClusterStatus
        var time: Double
    }

    var current: Moment
    /// Of the same broker, some time before; without it there are no rates.
    var previous: Moment?
    var columns = 100
    var rows = 50
    var style = TextStyle(isPlain: true)

    /// The whole picture, lines of at most `columns` and no more than `rows` of them.
    var text: String {
        var lines = [headline, summary, ""] + modelLines
        let fleets = current.status.fleets.map { line(of: $0) }
        let workers = workerLines
        let room = max(rows - lines.count - fleets.count - 4, 1)
        lines += ["", heading] + workers.prefix(room)
        if workers.count > room { lines.append(style.soft("  and \(workers.count - room) more")) }
        if !fleets.isEmpty { lines += [""] + fleets }
        return lines.map { TextStyle.clipped($0, to: columns) }.joined(separator: "\n")
    }

    private var status: ClusterStatus { current.status }

    private var headline: String {
        let scheduler = status.policy.isEmpty ? "no scheduler" : "policy \(Self.safe(status.policy))"
        return style.strong("aladdin") + style.soft("  \(scheduler), broker up \(Self.age(status.uptime))")
    }

    private var summary: String {
        let seen = status.models.filter { $0.timeToFirstToken.count > 0 }
        let count = seen.reduce(0) { $0 + Double($1.timeToFirstToken.count) }
        let met = seen.reduce(0) { $0 + $1.attainment * Double($1.timeToFirstToken.count) }
        return [
            "met " + (count > 0 ? style.judged(met / count) : "-"),
            "done " + rate { $0.models.reduce(0) { $0 + $1.completed } },
            "tokens " + rate { $0.models.reduce(0) { $0 + $1.outputTokens } },
            "running \(status.models.reduce(0) { $0 + $1.running })",
            "waiting \(status.models.reduce(0) { $0 + $1.queued })",
            "refused " + rate { $0.models.reduce(0) { $0 + $1.refused } },
        ].joined(separator: "   ")
    }

    private var modelLines: [String] {
        let headings = [
            "MODEL", "WORKERS", "WAITING", "RUNNING", "MET", "TTFT p50/p99 ms", "ATGT p50/p99 ms", "DONE", "REFUSED",
        ]
        let rows = status.models.map { model in
            [
                Self.safe(model.model), "\(model.workers)", "\(model.queued)", "\(model.running)",
                model.timeToFirstToken.count > 0 ? model.attainment.percent : "-", model.timeToFirstToken.text,
                model.averageTokenTime.text, "\(model.completed)", "\(model.refused)",
            ]
        }
        var lines = Terminal.table([headings] + rows).split(separator: "\n").map(String.init)
        lines[0] = style.soft(lines[0])
        return lines
    }

    private func line(of fleet: FleetWish) -> String {
        "fleet \(Self.safe(fleet.name)): \(fleet.active) serve, \(fleet.starting) awaited, \(fleet.workers) wished for "
            + "(\(Self.safe(fleet.reason))); the load keeps \(fleet.offeredLoad.short) busy"
    }

    /// How fast a total grows, by the second.
    private func rate(_ total: (ClusterStatus) -> UInt64) -> String {
        guard let previous, previous.status.broker == status.broker, current.time > previous.time else { return "-" }
        let (from, to) = (total(previous.status), total(status))
        return to >= from ? (Double(to - from) / (current.time - previous.time)).short + "/s" : "-"
    }

    /// How fast a worker's tokens come.
    func tokenRate(of worker: WorkerStatus) -> String {
        rate { $0.workers.first { $0.worker == worker.worker }?.outputTokens ?? 0 }
    }

    private static func age(_ interval: Interval) -> String {
        let seconds = Int(interval.seconds)
        return seconds < 120 ? "\(seconds) s" : seconds < 7200 ? "\(seconds / 60) min" : "\(seconds / 3600) h"
    }

    /// A name that others chose, without what would steer the terminal.
    static func safe(_ name: String) -> String {
        String(
            String.UnicodeScalarView(name.unicodeScalars.map { $0.properties.generalCategory == .control ? "?" : $0 })
        )
    }
}
