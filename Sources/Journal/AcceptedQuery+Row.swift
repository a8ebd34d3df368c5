internal import Brokering
internal import GRDB
internal import ServingModel

extension AcceptedQuery {
    static let insertion = """
        INSERT INTO query (
            number, id, durability, owner, idempotency_key, request_hash, model, input_tokens, prompt_bytes, max_tokens,
            output_tokens_hint, ttft_objective_ns, atgt_objective_ns, priority, tenant, arrival_ms, deadline_ms
        ) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
        """

    /// The same with its request as bytes, which both its row and the row's checksum need.
    var encoded: AcceptedQuery {
        var query = self
        query.request = OpaqueRequest(request.bytes)
        return query
    }

    /// In the order of `insertion`.
    func add(to parameters: inout some StatementParameters) {
        parameters.add(number.stored)
        parameters.add(id.description)
        parameters.add(durability.rawValue)
        parameters.add(owner.stored)
        parameters.add(idempotencyKey?.stored)
        parameters.add(Int64(bitPattern: requestHash))
        parameters.add(model.stored)
        parameters.add(inputTokens)
        parameters.add(promptBytes)
        parameters.add(maxTokens)
        parameters.add(outputTokensHint)
        parameters.add(objective.timeToFirstToken.nanoseconds)
        parameters.add(objective.averageTokenTime.nanoseconds)
        parameters.add(priority)
        parameters.add(tenant.stored)
        parameters.add(arrival.milliseconds)
        parameters.add(deadline?.milliseconds)
    }

    /// - Throws: `RowDamage` if the row holds what was never written.
    init(_ row: some StoredRow, request: OpaqueRequest = []) throws {
        let id: String = try row.read("id")
        let durability: String = try row.read("durability")
        guard let queryID = QueryID(id) else { throw RowDamage("query \(id) has no such identifier") }
        guard let level = Durability(rawValue: durability) else {
            throw RowDamage("query \(id) has durability '\(durability)'")
        }
        self.init(
            number: QueryNumber(stored: try row.read("number")),
            id: queryID,
            durability: level,
            owner: try row.read("owner"),
            idempotencyKey: try row.readOptional("idempotency_key"),
            requestHash: UInt64(bitPattern: try row.read("request_hash")),
            model: try row.read("model"),
            inputTokens: try row.readOptional("input_tokens"),
            promptBytes: try row.read("prompt_bytes"),
            maxTokens: try row.read("max_tokens"),
            outputTokensHint: try row.readOptional("output_tokens_hint"),
            objective: ServiceLevelObjective(
                timeToFirstToken: Interval(nanoseconds: try row.read("ttft_objective_ns")),
                averageTokenTime: Interval(nanoseconds: try row.read("atgt_objective_ns"))
            ),
            priority: try row.read("priority"),
            tenant: try row.read("tenant"),
            arrival: UnixTime(milliseconds: try row.read("arrival_ms")),
            deadline: (try row.readOptional("deadline_ms") as Int64?).map(UnixTime.init(milliseconds:)),
            request: request
        )
    }

    var checksum: RowChecksum {
        var sum = RowChecksum()
        sum.combine(number.rawValue)
        sum.combine(id.high)
        sum.combine(id.low)
        sum.combine(durability.rawValue)
        sum.combine(owner.stored)
        sum.combine(idempotencyKey == nil ? 0 : 1)
        sum.combine(idempotencyKey?.stored ?? "")
        sum.combine(requestHash)
        sum.combine(model.stored)
        sum.combine(inputTokens)
        sum.combine(promptBytes)
        sum.combine(maxTokens)
        sum.combine(outputTokensHint)
        sum.combine(Int(objective.timeToFirstToken.nanoseconds))
        sum.combine(Int(objective.averageTokenTime.nanoseconds))
        sum.combine(priority)
        sum.combine(tenant.stored)
        sum.combine(Int(arrival.milliseconds))
        sum.combine(deadline.map { Int($0.milliseconds) })
        sum.combine(request.bytes)
        return sum
    }
}

extension FailedAttempt {
    static let insertion = """
        INSERT INTO failure SELECT number, ?, ?, ?, ?, ?, ?, ?, ? FROM query WHERE number = ? AND ended_ms IS NULL
        """

    /// In the order of `insertion`, but for the query's number.
    func add(to parameters: inout some StatementParameters) {
        parameters.add(attempt)
        parameters.add(worker.stored)
        parameters.add(at.milliseconds)
        parameters.add(Int(code.rawValue))
        parameters.add(Int(reason.rawValue))
        parameters.add(message.stored)
        parameters.add(outputTokens)
        parameters.add(suspects)
    }

    init(_ row: some StoredRow) throws {
        self.init(
            attempt: try row.read("attempt"),
            worker: try row.read("worker"),
            at: UnixTime(milliseconds: try row.read("at_ms")),
            code: try StatusCode(stored: row.read("code")),
            reason: try Reason(stored: row.read("reason")),
            message: try row.read("message"),
            outputTokens: try row.read("output_tokens"),
            // What is salvaged may be from before there was this column.
            suspects: row.hasColumn("suspects") ? try row.read("suspects") : 1
        )
    }
}

/// A row holds what this program doesn't write.
struct RowDamage: Error, Equatable, CustomStringConvertible {
    var description: String

    init(_ description: String) {
        self.description = description
    }
}
