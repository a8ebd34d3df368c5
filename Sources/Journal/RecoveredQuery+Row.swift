internal import Brokering
internal import Foundation
internal import ServingModel

extension RecoveredQuery {
    /// - Parameters:
    ///   - row: of `query`, with the columns of `request` beside it.
    ///   - requestColumn: what the request's bytes are called there.
    ///   - failures: of `failure`, in order.
    ///   - checkpoints: of `checkpoint`, in order.
    /// - Throws: `RowDamage` if it is not what was written.
    init(
        _ row: some StoredRow,
        requestColumn: String,
        failures: [some StoredRow],
        checkpoints: [some StoredRow]
    ) throws {
        guard let bytes = try row.readOptional(requestColumn) as Data? else {
            throw RowDamage("query \(try row.read("id") as String) has lost its request")
        }
        let query = try AcceptedQuery(row, request: OpaqueRequest([UInt8](bytes)))
        guard try row.read("checksum") == query.checksum.stored else {
            throw RowDamage("the request of query \(query.id) is not what was written")
        }
        self.init(
            accepted: query,
            attempt: try row.read("attempt"),
            wasLeased: (try row.readOptional("lease") as Int64?) != nil,
            restarts: try row.read("restarts"),
            failures: try failures.map { try FailedAttempt($0) },
            output: OutputPart(joining: try checkpoints.map { try OutputPart(checkpoint: $0) })
        )
    }
}
