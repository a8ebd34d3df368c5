internal import ArgumentParser
internal import Foundation
internal import Scheduling

/// A CSV file of measurements.
struct MeasurementFile {
    let path: String
    let phase: MeasurementTable.Phase
    let table: MeasurementTable

    /// - Throws: `ValidationError` that names the file, the line and the field.
    init(path: String, phase: MeasurementTable.Phase) throws {
        let input = try InputText(path, as: "--\(phase.rawValue)-csv")
        self.path = input.name
        self.phase = phase
        do {
            table = try MeasurementTable(csv: input.text, phase: phase)
        } catch {
            throw ValidationError("\(input.name), \(error)")
        }
    }

    /// Measurements that were just made.
    init(_ origin: String, _ phase: MeasurementTable.Phase, _ table: MeasurementTable) {
        path = origin
        self.phase = phase
        self.table = table
    }

    /// The one setting that is wanted and that all files have measured.
    ///
    /// - Throws: `ValidationError` that lists what there is, if none fits or more than one does.
    static func setting(_ wanted: SettingFilter, in files: [MeasurementFile]) throws -> MeasurementTable.Setting {
        var common: [MeasurementTable.Setting]?
        for file in files {
            let fitting = file.table.settings.filter(wanted.matches)
            guard !fitting.isEmpty else {
                throw ValidationError(
                    "\(file.path) has no row for \(wanted); it has\n" + list(file.table.settings)
                )
            }
            common = common.map { $0.filter(fitting.contains) } ?? fitting
        }
        let settings = common ?? []
        guard let setting = settings.first else {
            let measured = files.map { "\($0.path) has\n" + list($0.table.settings.filter(wanted.matches)) }
            throw ValidationError(
                "no device, model and number of GPUs is in both files: " + measured.joined(separator: "\n")
            )
        }
        guard settings.count == 1 else {
            throw ValidationError(
                "the files hold several devices, models or numbers of GPUs; choose one of\n" + list(settings)
            )
        }
        return setting
    }

    private static func list(_ settings: [MeasurementTable.Setting]) -> String {
        settings.map { "  \($0)" }.joined(separator: "\n")
    }
}

/// What `--device`, `--model` and `--tp` leave over.
struct SettingFilter: CustomStringConvertible {
    var device: String?
    var model: String?
    var gpus: Int?

    func matches(_ setting: MeasurementTable.Setting) -> Bool {
        (device ?? setting.device) == setting.device && (model ?? setting.model) == setting.model
            && (gpus ?? setting.gpus) == setting.gpus
    }

    var description: String {
        [device.map { "--device \($0)" }, model.map { "--model \($0)" }, gpus.map { "--tp \($0)" }]
            .compactMap { $0 }.joined(separator: " ")
    }
}
