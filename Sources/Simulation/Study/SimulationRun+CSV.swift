internal import ServingModel

extension SimulationRun {
    /// What became of every query, those of the warm-up included: a CSV line each, in trace order.
    ///
    /// Times are in seconds with nine decimals, made from whole nanoseconds and so exact. What did not happen is empty.
    package var csv: String {
        var text =
            "query,arrival_s,input_tokens,output_tokens,worker,dispatched_s,first_token_s,finish_s,preemptions,met\n"
        text.reserveCapacity(records.count * 96)
        for (index, (query, record)) in zip(workload.queries, records).enumerated() {
            let times = [record.dispatched, record.firstToken, record.finish].map { $0.map(Self.seconds) ?? "" }
            text += "\(index),\(Self.seconds(query.arrival)),\(query.inputTokens),\(query.outputTokens),"
            text += (record.worker.map(String.init) ?? "") + ","
            text += "\(times[0]),\(times[1]),\(times[2]),\(record.preemptions),"
            text += query.isMet(by: record) ? "1\n" : "0\n"
        }
        return text
    }

    private static func seconds(_ instant: Instant) -> String {
        let (whole, fraction) = instant.nanoseconds.quotientAndRemainder(dividingBy: 1_000_000_000)
        let digits = String(fraction)
        return "\(whole)." + String(repeating: "0", count: 9 - digits.count) + digits
    }
}
