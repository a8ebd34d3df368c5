internal import Brokering
internal import Foundation
internal import GRDB
internal import ServingModel

extension QueryEnd {
    static let update = """
        UPDATE query SET ended_ms = ?, code = ?, reason = ?, message = ?, finish = ?, counted_input_tokens = ?,
            output_tokens = ?, attempt = ?, worker = ?, first_token_ns = ?, last_token_ns = ?, met = ?
        WHERE number = ? AND ended_ms IS NULL
        """

    /// In the order of `update`, but for the query's number.
    func add(to parameters: inout some StatementParameters) {
        parameters.add(at.milliseconds)
        parameters.add(Int(code.rawValue))
        parameters.add(Int(reason.rawValue))
        parameters.add(message.stored)
        parameters.add(finish.map { Int($0.rawValue) })
        parameters.add(inputTokens)
        parameters.add(output.count)
        parameters.add(attempt)
        parameters.add(worker.stored)
        parameters.add(firstToken?.nanoseconds)
        parameters.add(lastToken?.nanoseconds)
        parameters.add(metObjective)
    }

    static let resultInsertion = "INSERT INTO result VALUES (?, ?, ?, ?, ?, ?, ?)"

    /// In the order of `resultInsertion`.
    func addResult(of number: QueryNumber, to parameters: inout some StatementParameters) {
        parameters.add(number.stored)
        parameters.add(checksum(number).stored)
        parameters.add(output.firstIndex)
        parameters.add(rewritesText)
        parameters.add(output.ids.stored)
        parameters.add(output.text)
        parameters.add(output.pieces.stored)
    }

    /// - Parameter row: the query's, with the columns of `result` beside it.
    init(_ row: some StoredRow) throws {
        let number = QueryNumber(stored: try row.read("number"))
        self.init(
            at: UnixTime(milliseconds: try row.read("ended_ms")),
            code: try StatusCode(stored: row.read("code")),
            reason: try Reason(stored: row.read("reason")),
            message: try row.read("message"),
            finish: try (row.readOptional("finish") as Int?).map { try FinishReason(stored: $0) },
            inputTokens: try row.readOptional("counted_input_tokens"),
            output: OutputPart(
                firstIndex: try row.read("first_index"),
                count: try row.read("output_tokens"),
                ids: [Int32](stored: try row.read("token_ids")),
                text: [UInt8](try row.read("text") as Data),
                pieces: [OutputPart.Piece](stored: try row.read("pieces"))
            ),
            attempt: try row.read("attempt"),
            worker: try row.read("worker"),
            firstToken: (try row.readOptional("first_token_ns") as Int64?).map(Interval.init(nanoseconds:)),
            lastToken: (try row.readOptional("last_token_ns") as Int64?).map(Interval.init(nanoseconds:)),
            metObjective: try row.read("met"),
            rewrites: try Self.rewrites(try row.read("rewrites"))
        )
        guard try row.read("checksum") == checksum(number).stored else {
            throw RowDamage("the result of query \(try row.read("id") as String) is not what was written")
        }
    }

    private var rewritesText: String {
        rewrites.map { "\($0.attempt):\($0.index)" }.joined(separator: ",")
    }

    private static func rewrites(_ text: String) throws -> [Rewrite] {
        try text.split(separator: ",").map { pair in
            let numbers = pair.split(separator: ":").map { Int($0) }
            guard numbers.count == 2, let attempt = numbers[0], let index = numbers[1] else {
                throw RowDamage("rewrites are '\(text)'")
            }
            return Rewrite(attempt: attempt, index: index)
        }
    }

    private func checksum(_ number: QueryNumber) -> RowChecksum {
        var sum = RowChecksum()
        sum.combine(number.rawValue)
        sum.combine(Int(at.milliseconds))
        sum.combine(Int(code.rawValue))
        sum.combine(Int(reason.rawValue))
        sum.combine(message.stored)
        sum.combine(finish.map { Int($0.rawValue) })
        sum.combine(inputTokens)
        sum.combine(attempt)
        sum.combine(worker.stored)
        sum.combine(firstToken.map { Int($0.nanoseconds) })
        sum.combine(lastToken.map { Int($0.nanoseconds) })
        sum.combine(metObjective ? 1 : 0)
        sum.combine(rewritesText)
        sum.combine(output)
        return sum
    }
}

extension OutputPart {
    static let insertion = """
        INSERT INTO checkpoint SELECT number, ?, ?, ?, ?, ?, ? FROM query WHERE number = ? AND ended_ms IS NULL
        """

    /// In the order of `insertion`, but for the query's number at its end.
    func add(of number: QueryNumber, to parameters: inout some StatementParameters) {
        parameters.add(firstIndex)
        parameters.add(count)
        parameters.add(checksum(number).stored)
        parameters.add(ids.stored)
        parameters.add(text)
        parameters.add(pieces.stored)
    }

    /// - Parameter row: of `checkpoint`.
    init(checkpoint row: some StoredRow) throws {
        self.init(
            firstIndex: try row.read("first_index"),
            count: try row.read("tokens"),
            ids: [Int32](stored: try row.read("token_ids")),
            text: [UInt8](try row.read("text") as Data),
            pieces: [OutputPart.Piece](stored: try row.read("pieces"))
        )
        let number = QueryNumber(stored: try row.read("query"))
        guard try row.read("checksum") == checksum(number).stored else {
            throw RowDamage("a checkpoint of query number \(number.rawValue) is not what was written")
        }
    }

    private func checksum(_ number: QueryNumber) -> RowChecksum {
        var sum = RowChecksum()
        sum.combine(number.rawValue)
        sum.combine(self)
        return sum
    }
}

extension RowChecksum {
    fileprivate mutating func combine(_ part: OutputPart) {
        combine(part.firstIndex)
        combine(part.count)
        part.ids.withUnsafeBytes { combine($0) }
        combine(part.text)
        combine(part.pieces.stored)
    }
}
