import Testing

@testable import ServiceSettings

@Suite("Shards and brokers in settings")
struct ShardListTests {
    @Test("A broker is a machine at its usual ports, the first of four others, or a directory")
    func addresses() throws {
        let usual = try #require(BrokerAddress("10.0.0.11"))
        #expect(BrokerAddress.Endpoint.allCases.map(usual.endpoint) == (5550...5553).map { "tcp://10.0.0.11:\($0)" })
        #expect(BrokerAddress("broker.example:7000")?.endpoint(.admin) == "tcp://broker.example:7003")
        #expect(BrokerAddress("ipc:///run/aladdin")?.endpoint(.worker) == "ipc:///run/aladdin/worker")
    }

    @Test(
        "What is no address is none",
        arguments: [
            "", "tcp://a:5550", "a:", "a:0", "a:65533", "a:x", "a b", "::1", "me@a", "ipc://run", "ipc:///a b", "a/b",
        ]
    )
    func wrongAddress(text: String) {
        #expect(BrokerAddress(text) == nil)
        #expect(BrokerAddress.list("a,\(text)") == nil)
    }

    @Test("Shards have names and brokers")
    func shards() throws {
        let list = try #require(ShardList("a=10.0.0.11,10.0.0.12;b=10.0.0.21:7000"))
        #expect(list.names == ["a", "b"])
        #expect(list.endpoints(.frontend, of: "a") == "tcp://10.0.0.11:5550,tcp://10.0.0.12:5550")
        #expect(list.endpoints(.scheduler, of: "b") == "tcp://10.0.0.21:7002")
        #expect(list.endpoints(.frontend, of: "c") == nil)
    }

    @Test(
        "A list that is wrong is none",
        arguments: ["", "a", "a=", "=h", "a=h;", "a=h;a=i", "a b=h", "ä=h", "a=h,,i"]
    )
    func wrongList(text: String) {
        #expect(ShardList(text) == nil)
    }

    @Test("Pins go by the last sign, since models may have one in their names")
    func pins() {
        #expect(ShardList.pins("llama=a,x=y=b") == ["llama": "a", "x=y": "b"])
        for text in ["", "a", "=a", "m=", "m=a,m=b", "m=a,"] { #expect(ShardList.pins(text) == nil, "\(text)") }
    }
}
