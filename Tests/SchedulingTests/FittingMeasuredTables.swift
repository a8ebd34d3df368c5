import Foundation
import Scheduling
import Testing

/// The tables in `Measurements`, and the settings in each.
enum MeasuredTables {
    typealias Setting = MeasurementTable.Setting

    static func read(_ name: String, _ phase: MeasurementTable.Phase) throws -> MeasurementTable {
        let folder = try #require(Bundle.module.resourceURL?.appending(component: "Measurements"))
        let text = try String(contentsOf: folder.appending(component: name + ".csv"), encoding: .utf8)
        return try MeasurementTable(csv: text, phase: phase)
    }

    static let endToEnd = [
        Setting(device: "A100-80GB", model: "bloom-176b", gpus: 8),
        Setting(device: "A100-80GB", model: "llama2-70b", gpus: 2),
        Setting(device: "A100-80GB", model: "llama2-70b", gpus: 4),
        Setting(device: "A100-80GB", model: "llama2-70b", gpus: 8),
        Setting(device: "H100-80GB", model: "llama2-70b", gpus: 2),
        Setting(device: "H100-80GB", model: "llama2-70b", gpus: 4),
        Setting(device: "H100-80GB", model: "llama2-70b", gpus: 8),
    ]

    private static let vidur = [
        Setting(device: "A100-80GB", model: "codellama-34b", gpus: 2),
        Setting(device: "A100-80GB", model: "llama2-70b", gpus: 2),
    ]

    private static let servingSim = [
        Setting(device: "RTX4090", model: "llama3.1-8b", gpus: 1),
        Setting(device: "RTXPRO6000", model: "llama3.1-8b", gpus: 1),
        Setting(device: "RTXPRO6000", model: "qwen3-30b-a3b", gpus: 1),
    ]

    /// Decode tables of models that always use all of their weights.
    static let dense: [(String, Setting)] =
        endToEnd.map { ("splitwise_decode", $0) } + vidur.map { ("vidur_a100_decode", $0) }
        + servingSim.prefix(2).map { ("llmservingsim_decode", $0) }

    /// Prefill tables put together from kernel times.
    static let composed: [(String, Setting)] =
        vidur.map { ("vidur_a100_prefill", $0) } + servingSim.map { ("llmservingsim_prefill", $0) }
        + servingSim.map { ("llmservingsim_prefill_chunked2048", $0) }
}
