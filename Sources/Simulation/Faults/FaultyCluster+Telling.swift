internal import Brokering
internal import ServingModel

/// Checks at the moment at which the broker tells a client something.
extension FaultyCluster {
    mutating func check(_ delivery: Brokering.Delivery, to stream: StreamKey, peer: Int) {
        tell("-> \(stream.session.rawValue)/\(stream.stream) \(Self.words(delivery))")
        guard case .client(let client) = peers[peer].role else { return }
        if case .accepted(let id, let durability, let isDuplicate) = delivery {
            checkAcceptance(of: id, durability, isDuplicate, to: stream, client)
            return
        }
        if case .givenUp(let id, _) = delivery {
            if ledger[id]?.isAcknowledged == false, disk.image.find(.query(id))?.end == nil {
                fail(.toldIsKept, "that query \(id.low) was given up was told and is not on the disk")
            }
            return
        }
        guard let id = ledger.byStream[stream], let query = ledger[id] else {
            fail(.nothingUnaccepted, "a stream heard of its query before its acceptance")
            return
        }
        switch delivery {
        case .tokens(let first, let count, let ids, let text):
            check(tokens: text, ids, first, count, of: query)
        case .end(let status): checkEnd(status, of: query)
        case .accepted, .started, .reset, .finished, .givenUp: break
        }
    }

    private mutating func checkAcceptance(
        of id: QueryID,
        _ durability: Durability,
        _ isDuplicate: Bool,
        to stream: StreamKey,
        _ client: Int
    ) {
        guard let query = ledger[id] else {
            fail(.nothingUnaccepted, "the acceptance of a query that nobody submitted")
            return
        }
        let work = works[query.work]
        guard work.owner == clients[client].owner else {
            fail(.tenantsApart, "\(FaultWork.owners[clients[client].owner]) was let into \(work.ownerName)'s query")
            return
        }
        if let name = work.key, durability != .volatile {
            let key = IdempotencyKey(owner: work.ownerName, key: name)
            if let known = ledger.byKey[key], known != id, ledger[known]?.isAcknowledged == false {
                fail(.sameKeySameQuery, "\(name) was query \(known.low) and is \(id.low) now")
            }
            ledger.byKey[key] = id
        }
        if durability != work.durability { fail(.toldIsKept, "query \(id.low) is kept less than was asked") }
        if durability != .volatile, !query.isAcknowledged, !disk.image.contains(id) {
            fail(.toldIsKept, "acceptance of query \(id.low) was told and is not on the disk")
        }
        if isDuplicate { coverage.note(.joinedByKey) }
        ledger.byStream[stream] = id
        ledger.change(id) { $0.isToldAccepted = true }
    }

    private mutating func check(
        tokens text: String,
        _ ids: [Int32],
        _ first: Int,
        _ count: Int,
        of query: FaultLedger.Query
    ) {
        guard let tokens = FaultToken.tokens(in: text.utf8), tokens.count == count else {
            fail(.oneStream, "text of query \(query.id.low) that no engine made")
            return
        }
        if count > 1 { coverage.note(.multiTokenPiece) }
        for token in tokens where FaultToken.work(of: token) != query.work & 0xFFF { return failForeign(token, query) }
        guard first >= 0, first + count <= query.tokens.count, Array(query.tokens[first..<first + count]) == tokens
        else {
            fail(.oneStream, "query \(query.id.low) was told tokens at \(first) that its fenced attempts did not make")
            return
        }
        if !ids.isEmpty, ids != tokens { fail(.oneStream, "query \(query.id.low): identifiers are not the text's") }
    }

    mutating func failForeign(_ token: Int32, _ query: FaultLedger.Query) {
        let work = FaultToken.work(of: token)
        let isOther = work < works.count && works[work].owner != works[query.work].owner
        fail(isOther ? .tenantsApart : .oneStream, "query \(query.id.low) has tokens of work \(work)")
    }

    private mutating func checkEnd(_ status: Status, of query: FaultLedger.Query) {
        let id = query.id
        if let told = query.told, told.code != status.code || told.tokens != query.tokens {
            fail(.oneEnd, "query \(id.low) was told to have ended \(told.code), and now \(status.code)")
        }
        if query.durability != .volatile, !query.isAcknowledged {
            let kept = disk.image.find(.query(id))?.end
            if kept?.code != status.code || kept?.output.count != query.tokens.count {
                fail(.toldIsKept, "the end of query \(id.low) was told and is not on the disk")
            }
        }
        guard query.told == nil else { return }
        ledger.change(id) { $0.told = (status.code, query.tokens) }
        count(status, query)
    }

    private mutating func count(_ status: Status, _ query: FaultLedger.Query) {
        switch (status.code, status.reason) {
        case (.ok, _):
            coverage.note(.endedOK)
            if query.tokens.count == 1 { coverage.note(.oneToken) }
            if query.tokens.count > 100 { coverage.note(.longAnswer) }
        case (_, .poisonous): coverage.note(.poisonous)
        case (_, .attemptsExhausted): coverage.note(.attemptsExhausted)
        case (.deadlineExceeded, _): coverage.note(.deadlineExceeded)
        case (_, .noWorker): coverage.note(.noWorker)
        default: break
        }
    }

    private static func words(_ delivery: Brokering.Delivery) -> String {
        switch delivery {
        case .accepted(let id, let durability, let isDuplicate):
            "accepted \(id.low) \(durability)\(isDuplicate ? " again" : "")"
        case .started(let worker, let attempt, _): "started on \(worker), attempt \(attempt)"
        case .tokens(let first, let count, _, _): "tokens \(first)+\(count)"
        case .reset(let index): "reset to \(index)"
        case .finished(let reason, _, let tokens): "finished \(reason) after \(tokens)"
        case .end(let status): "end \(status)"
        case .givenUp(let id, let status): "end of \(id.low), given up: \(status)"
        }
    }
}
