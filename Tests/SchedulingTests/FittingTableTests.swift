import Scheduling
import Testing

@Suite("Reading measured latencies")
struct FittingTableTests {
    private static let header = "device,model,tp,batch,context_tokens_total,latency_ms"

    private func fault(_ text: String) -> String {
        do {
            _ = try MeasurementTable(csv: text, phase: .decode)
            return ""
        } catch {
            return error.description
        }
    }

    @Test("Columns may stand in any order, with others among them, and lines may end as on Windows")
    func anyOrder() throws {
        let text = "\u{FEFF}latency_ms,note, tp,model,device,batch,context_tokens_total\r\n20.5,x,2,m,d,3,600\r\n"
        let table = try MeasurementTable(csv: text, phase: .decode)
        let setting = MeasurementTable.Setting(device: "d", model: "m", gpus: 2)
        #expect(table.rows == [.init(setting: setting, batch: 3, tokens: 600, milliseconds: 20.5)])
        #expect(table.decodes(of: setting) == [.init(batch: 3, contextTokens: 600, milliseconds: 20.5)])
    }

    @Test("Settings come in the order of their rows, and rows are told apart by them")
    func settings() throws {
        let text = "\(Self.header)\nd,m,2,1,16,5\nd,m,1,1,16,6\nd,m,2,2,32,7"
        let table = try MeasurementTable(csv: text, phase: .decode)
        #expect(table.settings.map(\.gpus) == [2, 1])
        #expect(table.decodes(of: table.settings[0]).map(\.milliseconds) == [5, 7])
        #expect(table.settings[1].description == "--device d --model m --tp 1")
    }

    @Test(
        "A wrong field is named with its line, column and what would be right",
        arguments: [
            ("d,m,1,1,16,-5", "line 2, latency_ms: it is '-5'; it must be a number of milliseconds above 0"),
            ("d,m,1,1,16,0", "line 2, latency_ms: it is '0'; it must be a number of milliseconds above 0"),
            ("d,m,1,1,16,nan", "line 2, latency_ms: it is 'nan'; it must be a number of milliseconds above 0"),
            ("d,m,1,1,16,inf", "line 2, latency_ms: it is 'inf'; it must be a number of milliseconds above 0"),
            ("d,m,1,1,16,fast", "line 2, latency_ms: it is 'fast'; it must be a number of milliseconds above 0"),
            ("d,m,1,1,0,5", "line 2, context_tokens_total: it is '0'; it must be a whole number from 1"),
            ("d,m,1,1.5,16,5", "line 2, batch: it is '1.5'; it must be a whole number from 1"),
            ("d,m,0,1,16,5", "line 2, tp: it is '0'; it must be a whole number from 1"),
            (",m,1,1,16,5", "line 2, device: it is empty; it must be a name"),
            ("d,m,1,1,16", "line 2: there are 5 fields where the header has 6"),
            ("d,m,1,1,16,5\n\nd,m,1,1,16,5", "line 3: there are 1 fields where the header has 6"),
        ]
    )
    func wrongFields(rows: String, message: String) {
        #expect(fault("\(Self.header)\n\(rows)") == message)
    }

    @Test("A missing column and an empty file are named")
    func missing() {
        #expect(fault("") == "line 1: the file is empty")
        #expect(fault("\n\n") == "line 1: the file is empty")
        #expect(fault(Self.header) == "line 1: there is no measurement below the columns")
        let without = "device,model,tp,batch,input_tokens_total,latency_ms\nd,m,1,1,16,5"
        #expect(
            fault(without)
                == "line 1, context_tokens_total: the column is missing; a decode file has \(Self.header)"
        )
    }
}
