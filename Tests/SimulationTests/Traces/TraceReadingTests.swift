import ServingModel
import Simulation
import Testing

@Suite("Reading traces")
struct TraceReadingTests {
    @Test("Our CSV is read as it stands, times to the nanosecond")
    func ownForm() throws {
        let text = "arrival_s,input_tokens,output_tokens\n1.5,10,2\n1.500000001,20,3\n2e1,30,4\n"
        let reading = try TraceReading(text: text)
        #expect(reading.format == .aladdin)
        #expect(reading.skipped.isEmpty)
        #expect(reading.trace.entries.map(\.arrival.nanoseconds) == [1_500_000_000, 1_500_000_001, 20_000_000_000])
        #expect(reading.trace.entries.map(\.inputTokens) == [10, 20, 30])
        #expect(reading.trace.entries.map(\.outputTokens) == [2, 3, 4])
        #expect(reading.trace.entries.map(\.line) == [2, 3, 4])
    }

    @Test("Columns may stand in any order, optional ones may be empty or missing at the end, others are ignored")
    func columnsByName() throws {
        let text = #"""
            priority,output_tokens,tenant,remark,arrival_s,input_tokens,session_id,slo_ttft_ms,slo_atgt_ms
            -1,5,"a, ""b""",x,0,7,3,1500.5,80
            ,6,,,0.25,8
            """#
        let entries = try TraceReading(text: text).trace.entries
        #expect(
            entries == [
                Trace.Entry(
                    arrival: .zero,
                    inputTokens: 7,
                    outputTokens: 5,
                    session: 3,
                    tenant: "a, \"b\"",
                    priority: -1,
                    objective: ServiceLevelObjective(
                        timeToFirstToken: Interval(nanoseconds: 1_500_500_000),
                        averageTokenTime: .milliseconds(80)
                    ),
                    line: 2
                ),
                Trace.Entry(arrival: .milliseconds(250), inputTokens: 8, outputTokens: 6, line: 3),
            ]
        )
    }

    @Test("A byte-order mark, carriage returns, blanks around fields and empty lines at the end do no harm")
    func lineEnds() throws {
        let text = "\u{FEFF}arrival_s, input_tokens ,output_tokens\r\n0 , 10,\t2\r\n\r\n\n"
        let entries = try TraceReading(text: text).trace.entries
        #expect(entries == [Trace.Entry(arrival: .zero, inputTokens: 10, outputTokens: 2, line: 2)])
    }

    @Test("Azure's times of day become times since the first query, over midnight and a leap day")
    func azure2023() throws {
        let text = """
            TIMESTAMP,ContextTokens,GeneratedTokens
            2024-02-28 23:59:59.9799600,4808,10
            2024-02-29 00:00:00.0319600,3180,8
            2024-03-01 00:00:00,110,27
            """
        let reading = try TraceReading(text: text)
        #expect(reading.format == .azure)
        #expect(reading.trace.entries.map(\.arrival.nanoseconds) == [0, 52_000_000, 86_400_020_040_000])
        #expect(reading.trace.entries.map(\.inputTokens) == [4808, 3180, 110])
    }

    @Test("Azure's times may have an offset from UTC, which counts")
    func azure2024() throws {
        let text = """
            TIMESTAMP,ContextTokens,GeneratedTokens
            2024-05-10 00:00:00.009930+00:00,2162,5
            2024-05-10 02:00:01.017335+02:00,2399,6
            2024-05-09 19:00:02-05:00,76,15
            """
        let arrivals = try TraceReading(text: text).trace.entries.map(\.arrival.nanoseconds)
        #expect(arrivals == [0, 1_007_405_000, 1_990_070_000])
    }

    @Test("Mooncake's lines keep their block hashes, whatever else they hold")
    func mooncake() throws {
        let text = #"""
            {"timestamp": 27000, "input_length": 6955, "output_length": 52, "hash_ids": [46, 47, 48]}
            {"output_length":26,"n":{"a":[{"b":"}\"]"}],"c":null},"hash_ids":[],"input_length":6472,"timestamp":30000.5}
            {"timestamp": 30001, "input_length": 1, "output_length": 1}
            """#
        let reading = try TraceReading(text: text)
        #expect(reading.format == .mooncake)
        let entries = reading.trace.entries
        #expect(entries.map(\.arrival.nanoseconds) == [0, 3_000_500_000, 3_001_000_000])
        #expect(entries.map(\.inputTokens) == [6955, 6472, 1])
        #expect(entries.map(\.outputTokens) == [52, 26, 1])
        #expect(entries.map(\.blocks.hashes) == [[46, 47, 48], [], []])
        #expect(entries.map(\.line) == [1, 2, 3])
    }

    @Test("BurstGPT's CSV is read, and its failed requests are skipped when bad lines are")
    func burstGPT() throws {
        let text = """
            Timestamp,Model,Request tokens,Response tokens,Total tokens,Log Type
            5,ChatGPT,472,18,490,Conversation log
            45,ChatGPT,1087,0,1087,Conversation log
            118,GPT-4,417,276,693,API log
            """
        let reading = try TraceReading(text: text, skipBad: true)
        #expect(reading.format == .burstGPT)
        #expect(reading.trace.entries.map(\.arrival) == [.zero, .seconds(113)])
        #expect(reading.trace.entries.map(\.outputTokens) == [18, 276])
        let message = "Response tokens is \"0\" (BurstGPT marks failed requests so): expected a whole number from 1"
        #expect(reading.skipped == [TraceError(line: 3, message: message)])
        #expect(throws: TraceError(line: 3, message: message)) { try TraceReading(text: text) }
    }

    @Test("A session is a number or any other text")
    func sessions() throws {
        let text = "arrival_s,input_tokens,output_tokens,session_id\n0,1,1,7\n1,1,1,a-b\n2,1,1,\n3,1,1,c\n4,1,1,a-b\n"
        let sessions = try TraceReading(text: text).trace.entries.map(\.session)
        #expect(sessions[0] == 7)
        #expect(sessions[2] == nil)
        #expect(sessions[1] != nil && sessions[1] == sessions[4])
        #expect(Set(sessions).count == 4)
    }

    @Test("BurstGPT's later columns give conversations, whatever their names")
    func burstGPTSessions() throws {
        let text = """
            Timestamp,Session ID,Elapsed time,Model,Request tokens,Response tokens,Total tokens,Log Type
            5,abc,2.5,ChatGPT,472,18,490,Conversation log
            6,17,2.5,ChatGPT,4,18,22,Conversation log
            7,,2.5,ChatGPT,4,18,22,API log
            8,abc,2.5,ChatGPT,500,18,518,Conversation log
            """
        #expect(try TraceReading(text: text).trace.entries.map(\.session) == [0, 1, nil, 0])
    }

    @Test("A trace that is written and read again is the same")
    func roundTrip() throws {
        var generator = SeededGenerator(seed: 5)
        for full in [false, true] {
            var entries: [Trace.Entry] = []
            for line in 2..<200 {
                let last = entries.last?.arrival ?? .zero
                let gap = Interval(nanoseconds: Int64.random(in: 0...3_000_000_000, using: &generator))
                var entry = Trace.Entry(arrival: last + gap, inputTokens: line, outputTokens: 1, line: line)
                if full, Bool.random(using: &generator) {
                    entry.session = Int.random(in: -9...9, using: &generator)
                    entry.tenant =
                        ["", "plain", "a,b", "say \"no\"", " padded "].randomElement(using: &generator) ?? ""
                    entry.priority = Int.random(in: -5...5, using: &generator)
                    entry.objective = ServiceLevelObjective(
                        timeToFirstToken: Interval(nanoseconds: Int64.random(in: 1...9_000_000_000, using: &generator)),
                        averageTokenTime: Interval(nanoseconds: Int64.random(in: 1...900_000, using: &generator))
                    )
                }
                entries.append(entry)
            }
            let trace = Trace(entries: entries)
            #expect(try TraceReading(text: trace.csv).trace == trace)
            #expect(full || trace.csv.hasPrefix("arrival_s,input_tokens,output_tokens\n"))
        }
    }

    @Test(
        "The public traces are read whole",
        arguments: [
            ("agent_swebench", 2146), ("arxiv_summarization_poisson1", 20_000), ("azure2023_code", 8819),
            ("azure2023_conv", 19_366), ("mooncake_conversation_first30min", 5719), ("mooncake_synthetic", 3993),
            ("servegen_deepseek_r1_peakhour", 18_848), ("servegen_mmid_day", 19_899), ("sharegpt_llama3_300", 300),
            ("sharegpt_opt_poisson16", 1600),
        ]
    )
    func publicTraces(name: String, queries: Int) throws {
        let trace = try TestData.trace(name)
        #expect(trace.entries.count == queries)
        #expect(trace.entries.first?.arrival == .zero)
        #expect(try TraceReading(text: trace.csv).trace == trace)
    }
}
