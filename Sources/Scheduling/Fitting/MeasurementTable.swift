/// Measured latencies as a CSV file has them: one row a repetition, any number of devices, models and degrees of
/// tensor parallelism in one file.
package struct MeasurementTable: Hashable, Sendable {
    /// What a fit belongs to: a model on a device over some GPUs.
    package struct Setting: Hashable, Sendable, CustomStringConvertible {
        package var device: String
        package var model: String
        package var gpus: Int

        package init(device: String, model: String, gpus: Int) {
            self.device = device
            self.model = model
            self.gpus = gpus
        }

        /// As the flags that choose it.
        package var description: String { "--device \(device) --model \(model) --tp \(gpus)" }
    }

    /// What a file measures, which names one of its columns.
    package enum Phase: String, Hashable, Sendable {
        case prefill
        case decode

        package var tokensColumn: String {
            switch self {
            case .prefill: "input_tokens_total"
            case .decode: "context_tokens_total"
            }
        }
    }

    package struct Row: Hashable, Sendable {
        package var setting: Setting
        package var batch: Int
        package var tokens: Int
        package var milliseconds: Double

        package init(setting: Setting, batch: Int, tokens: Int, milliseconds: Double) {
            self.setting = setting
            self.batch = batch
            self.tokens = tokens
            self.milliseconds = milliseconds
        }
    }

    package var rows: [Row]

    package init(rows: [Row]) {
        self.rows = rows
    }

    /// The settings measured, each once, in the order of their first rows.
    package var settings: [Setting] {
        var settings: [Setting] = []
        for row in rows where !settings.contains(row.setting) { settings.append(row.setting) }
        return settings
    }

    /// The rows of one setting as prefill measurements.
    package func prefills(of setting: Setting) -> [PrefillMeasurement] {
        rows.filter { $0.setting == setting }.map {
            PrefillMeasurement(batch: $0.batch, inputTokens: $0.tokens, milliseconds: $0.milliseconds)
        }
    }

    /// The rows of one setting as decode measurements.
    package func decodes(of setting: Setting) -> [DecodeMeasurement] {
        rows.filter { $0.setting == setting }.map {
            DecodeMeasurement(batch: $0.batch, contextTokens: $0.tokens, milliseconds: $0.milliseconds)
        }
    }
}
