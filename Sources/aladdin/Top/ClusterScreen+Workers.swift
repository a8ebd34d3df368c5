internal import Foundation
internal import Messages
internal import ServingModel

extension ClusterScreen {
    private static let nameWidth = 18
    private static let figureWidth = 11
    private static let rateWidth = 11

    /// What is left of a line for its two bars, shared by them.
    private var barWidth: Int {
        max((columns - Self.nameWidth - 7 - Self.figureWidth - Self.rateWidth - 18) / 2, 6)
    }

    var heading: String {
        let cells = [
            Self.padded("WORKER (\(current.status.workers.count))", Self.nameWidth),
            Self.padded("KV", barWidth + 7), Self.padded("RUNNING + BEHIND", barWidth + Self.figureWidth + 1),
            Self.padded("TOKENS", Self.rateWidth, right: true), "STEPS OFF",
        ]
        return style.soft(String(cells.joined(separator: " ").prefix(columns)))
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
        let name = Self.safe(worker.name) + (worker.isDraining ? " (leaving)" : "")
        let memory = style.bar(filled, used > 0.95 ? .red : .magenta)
        let batch = style.bar(running, .blue) + style.bar(waiting, .yellow, "▒")
        return [
            Self.padded(name, Self.nameWidth),
            memory + style.rest(barWidth - filled), Self.padded(used.percent, 6, right: true),
            batch + style.rest(barWidth - running - waiting),
            Self.padded("\(worker.running)" + (behind > 0 ? " + \(behind)" : ""), Self.figureWidth),
            Self.padded(tokenRate(of: worker), Self.rateWidth, right: true),
            worker.steps > 0 ? worker.stepError.percent + ", " + worker.stepBias.signedPercent : "-",
        ].joined(separator: " ")
    }

    private static func padded(_ text: String, _ width: Int, right: Bool = false) -> String {
        let text = text.count > width ? text.prefix(width - 1) + "…" : text
        let padding = String(repeating: " ", count: width - text.count)
        return right ? padding + text : text + padding
    }
}
