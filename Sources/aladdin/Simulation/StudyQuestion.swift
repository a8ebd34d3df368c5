internal import ArgumentParser
internal import Foundation
internal import Scheduling
internal import ServiceSettings
internal import ServingModel
internal import Simulation

/// What is asked of the simulator about a load: under which policies, on how many workers, to see what.
struct StudyQuestion: ParsableArguments {
    @Option(help: "Placement policies with their settings, a,b:key=value,c. (default: \(PolicyCatalog.defaultName))")
    var policy: String?

    @Option(parsing: .unconditional, help: "Number of workers.", transform: SettingForm.workerCount.argument)
    var workers: Int?

    @Flag(help: "Find the smallest number of workers that reaches the attainment.")
    var findMinWorkers = false

    @Option(
        parsing: .unconditional,
        help: "Where --find-min-workers gives up. (default: 200)",
        transform: SettingForm.workerCount.argument
    )
    var maxWorkers = 200

    @Option(
        parsing: .unconditional,
        help: "The share of queries whose objectives are to be kept. (default: 0.99)",
        transform: SettingForm.share.argument
    )
    var attainment = 0.99

    @Option(help: "Write what became of each query to this CSV file; of one policy and one seed.")
    var records: String?

    @Option(help: "Write a report with charts to this HTML file.")
    var report: String?

    @Flag(help: "Print JSON.")
    var json = false

    @OptionGroup var price: PriceOptions
    @OptionGroup var scaling: ScalingOptions
    @OptionGroup var options: StudyOptions

    /// A study, checked, and the trace that is left of its file.
    struct Prepared {
        var runner: StudyRunner
        var file: TraceFile
        /// Of a GPU an hour, for each kind of worker; nil without prices.
        var prices: [Double]?
        var records: OutputFile?
        var report: OutputFile?
    }

    /// Checks everything that can be checked before the first run.
    ///
    /// - Parameter skipsBadLines: leaves out queries whose objectives no worker could keep, instead of refusing them.
    func prepare(_ workers: WorkerMixArgument, _ file: TraceFile, skipsBadLines: Bool) throws -> Prepared {
        let policies = try policies()
        let report = try report.map { try OutputFile($0, option: "--report") }
        let prices = try price.prices(of: workers.mix.parts.count)
        let (asked, file) = try options.study(of: workers.mix, file, skipsBadLines: skipsBadLines)
        var study = asked
        study.failures = try scaling.failures()
        if records != nil, policies.count > 1 || study.seeds.count > 1 {
            throw ValidationError("--records is of one policy and one seed; give one of each")
        }
        let records = try records.map { try OutputFile($0, option: "--records", besides: report) }
        var runner: StudyRunner
        do {
            runner = try StudyRunner(study)
        } catch {
            throw ValidationError("\(error)")
        }
        if findMinWorkers, scaling.autoscale != nil {
            throw ValidationError("give --find-min-workers or --autoscale, not both")
        }
        runner.scale(try scaling.scaling(study, runner.workloads))
        return Prepared(runner: runner, file: file, prices: prices, records: records, report: report)
    }

    /// Runs the simulations, and writes the records and the report that were asked for.
    func answer(_ prepared: Prepared, size: Int?) async throws -> SimulationOutcome {
        let results = try await results(of: try policies(), size: size, prepared)
        if let records = prepared.records, let run = results.first?.runs.first { try records.write(run.csv) }
        let outcome = SimulationOutcome(
            runner: prepared.runner,
            file: prepared.file,
            results: results,
            attainment: attainment,
            isMinimum: findMinWorkers
        )
        if let report = prepared.report {
            let command = CommandLine.arguments.enumerated().map { $0 == 0 ? "aladdin" : Self.quoted($1) }
            let page = try await SimulationReport(outcome).page(command: command.joined(separator: " "))
            try report.write(page)
            Terminal.complain("the report is in \(report.path)")
        }
        return outcome
    }

    private func policies() throws -> [String] {
        let text = policy ?? PolicyCatalog.defaultName
        let names = text.split(separator: ",", omittingEmptySubsequences: false).map(String.init)
        for (index, name) in names.enumerated() {
            do throws(PolicyError) {
                _ = try PolicyCatalog.make(name, seed: 0)
            } catch {
                throw ValidationError("--policy: \(error)")
            }
            if names[..<index].contains(name) { throw ValidationError("--policy: '\(name)' is given twice") }
        }
        return names
    }

    /// The number of workers asked for; nil if it is to be found.
    ///
    /// - Parameter known: what else says how many there are.
    func size(_ known: Int?) throws -> Int? {
        if findMinWorkers {
            guard workers == nil else { throw ValidationError("give --workers or --find-min-workers, not both") }
            return nil
        }
        guard let size = workers ?? known else {
            throw ValidationError("--workers is missing: how many are there? or --find-min-workers")
        }
        guard (1...100_000).contains(size) else {
            throw ValidationError("--workers would be \(size); it must be from 1 to 100000")
        }
        return size
    }

    private func results(of policies: [String], size: Int?, _ prepared: Prepared) async throws -> [PolicyResult] {
        let runner = prepared.runner
        var sizes: [Int?] = policies.map { _ in size }
        if size == nil {
            let bound = runner.study.bound(for: runner.workloads, attainment: attainment)
            sizes = try await runner.minima(of: policies, from: bound, through: maxWorkers, attainment: attainment)
        }
        let jobs = zip(policies, sizes).flatMap { policy, size in
            runner.workloads.indices.compactMap { seed in
                size.map { StudyRunner.Job(policy: policy, workers: $0, seed: seed) }
            }
        }
        let runs = try await runner.runs(of: jobs, label: "simulating", isDetailed: true)
        return zip(policies, sizes).map { policy, size in
            PolicyResult(
                policy: policy,
                workers: size,
                gpus: size.map { runner.study.gpus(of: $0) } ?? 0,
                runs: zip(jobs, runs).filter { $0.0.policy == policy }.map(\.1),
                price: prepared.prices.flatMap { prices in size.map { runner.study.meanPrice(prices, workers: $0) } }
            )
        }
    }

    private static func quoted(_ argument: String) -> String {
        let isPlain = argument.utf8.allSatisfy {
            $0 > 0x2A && $0 < 0x7F && $0 != UInt8(ascii: ";") && $0 != UInt8(ascii: "<") && $0 != UInt8(ascii: ">")
                && $0 != UInt8(ascii: "?") && $0 != UInt8(ascii: "\\") && $0 != UInt8(ascii: "`")
                && $0 != UInt8(ascii: "|")
        }
        return isPlain && !argument.isEmpty ? argument : "'" + argument.replacing("'", with: "'\\''") + "'"
    }
}
