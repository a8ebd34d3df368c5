internal import Foundation
internal import Messages
internal import ServingModel

extension ClusterScreen {
    private static let nameWidth = 18
    private static let figureWidth = 11
    private static let rateWidth = 11

    /// Where bars would be too short, what is beside them is left out.
    private var isNarrow: Bool { columns < 84 }

    /// What is left of a line for its two bars, shared by them.
    private var barWidth: Int {
        let beside = isNarrow ? 3 : Self.rateWidth + 18
        return max((columns - Self.nameWidth - 7 - Self.figureWidth - beside) / 2, 6)
    }

    var heading: String {
        let cells = [
            Self.padded("WORKER (\(current.status.workers.count))", Self.nameWidth),
            Self.padded("KV", barWidth + 7), Self.padded("RUNNING + BEHIND", barWidth + Self.figureWidth + 1),
        ]
        let beside = isNarrow ? [] : [Self.padded("TOKENS", Self.rateWidth, right: true), "STEPS OFF"]
        return style.soft((cells + beside).joined(separator: " "))
    }

    /// One line each, sorted by name.
    var workerLines: [String] {
        let workers = current.status.workers.sorted {
            ($0.name.count, $0.name, $0.worker.rawValue) < ($1.name.count, $1.name, $1.worker.rawValue)
        }
        let most = max(workers.map { $0.running + $0.waiting + $0.queued }.max() ?? 0, 8)
        return workers.map { line(of: $0, most: most) }
    }

    private func line(of worker: WorkerStatus, most: Int) -> String {
        let capacity = worker.profile.kvCache.capacityTokens
        let used = capacity > 0 ? Double(capacity - worker.freeKVTokens) / Double(capacity) : 0
        let behind = worker.waiting + worker.queued
        let running = barWidth * worker.running / most
        let waiting = min(barWidth * behind / most, barWidth - running)
        let filled = min(max(Int((used * Double(barWidth)).rounded()), 0), barWidth)
        let role = worker.role == .both ? "" : ", \(worker.role.rawValue)"
        let name = Self.safe(worker.name) + role + (worker.isDraining ? " (leaving)" : "")
        let memory = style.bar(filled, used > 0.95 ? .red : .magenta)
        let batch = style.bar(running, .blue) + style.bar(waiting, .yellow, "▒")
        let cells = [
            Self.padded(name, Self.nameWidth),
            memory + style.rest(barWidth - filled), Self.padded(used.percent, 6, right: true),
            batch + style.rest(barWidth - running - waiting),
            Self.padded("\(worker.running)" + (behind > 0 ? " + \(behind)" : ""), Self.figureWidth),
        ]
        guard !isNarrow else { return cells.joined(separator: " ") }
        let beside = [
            Self.padded(tokenRate(of: worker), Self.rateWidth, right: true),
            worker.steps > 0 ? worker.stepError.percent + ", " + worker.stepBias.signedPercent : "-",
        ]
        return (cells + beside).joined(separator: " ")
    }

    private static func padded(_ text: String, _ width: Int, right: Bool = false) -> String {
        let text = text.count > width ? text.prefix(width - 1) + "…" : text
        let padding = String(repeating: " ", count: width - text.count)
        return right ? padding + text : text + padding
    }
}
