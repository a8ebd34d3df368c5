internal import ArgumentParser
internal import Scheduling

/// `--experts`: `8/128`, `none` or `search`.
struct ExpertsOption: ExpressibleByArgument {
    var experts: DecodeFit.Experts

    static let search = ExpertsOption(experts: .search)

    private init(experts: DecodeFit.Experts) {
        self.experts = experts
    }

    init?(argument: String) {
        switch argument {
        case "none": experts = .none
        case "search": experts = .search
        default:
            let numbers = argument.split(separator: "/", omittingEmptySubsequences: false).map { Int($0) }
            guard numbers.count == 2, let perToken = numbers[0], let count = numbers[1] else { return nil }
            guard perToken >= 1, perToken <= count else { return nil }
            experts = .known(perToken: perToken, of: count)
        }
    }

    var defaultValueDescription: String { "search" }
}
