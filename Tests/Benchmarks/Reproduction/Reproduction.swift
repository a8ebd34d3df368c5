internal import Foundation

/// Runs the studies that the documentation's figures come from, and writes docs/reproduction.md from their findings.
///
/// Findings are kept under docs/findings, so that a study that was interrupted goes on where it stopped and the
/// document can be written again without running anything.
@main
struct Reproduction {
    static func main() async {
        do {
            let arguments = try Arguments(CommandLine.arguments.dropFirst().map(\.self))
            if arguments.wantsHelp {
                print(Arguments.usage)
                return
            }
            try await Reproduction(arguments: arguments).run()
        } catch let error as UsageError {
            FileHandle.standardError.write(Data("reproduction: \(error.message)\n".utf8))
            exit(2)
        } catch {
            FileHandle.standardError.write(Data("reproduction: \(error)\n".utf8))
            exit(1)
        }
    }

    let arguments: Arguments

    func run() async throws {
        let data = DataFolder(root: arguments.root)
        let sections = Sections.all(data)
        if !arguments.onlyWrites {
            for section in sections where arguments.wants(section.name) {
                try await section.answer(arguments)
            }
        }
        try Document(root: arguments.root, sections: sections).write()
    }
}

/// The sections of the document in their order.
enum Sections {
    static let names = all(DataFolder(root: ".")).map(\.name)

    static func all(_ data: DataFolder) -> [any Section] {
        [
            StudySection(Fits(data: data)),
            StudySection(EngineRuns(data: data)),
            StudySection(MinimumFleets(data: data)),
            StudySection(EqualFleets(data: data)),
            StudySection(Ablations(data: data)),
            StudySection(Sensitivity(data: data)),
            StudySection(FleetSizes(data: data)),
            StudySection(SplitPhaseDecode(data: data)),
            StudySection(PaperSetting(data: data)),
            StudySection(Drift(data: data)),
            StudySection(Overload(data: data)),
            StudySection(Fairness(data: data)),
            StudySection(AgentSessions(data: data)),
            StudySection(PrefixReuse(data: data)),
            StudySection(FleetScaling(data: data)),
            StudySection(Packing(data: data)),
            StudySection(PlanChecks(data: data)),
            StudySection(LiveService(data: data)),
            StudySection(MixedPool(data: data)),
            StudySection(AutoscaledDay(data: data)),
            StudySection(Decisions(data: data)),
        ]
    }
}
