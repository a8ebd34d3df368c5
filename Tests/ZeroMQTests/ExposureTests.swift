import Testing
import ZeroMQ

@Suite("Endpoints that others can reach")
struct ExposureTests {
    @Test(
        "This machine's own are local",
        arguments: [
            "tcp://127.0.0.1:5550", "tcp://127.8.9.10:1", "tcp://localhost:5550", "tcp://LOCALHOST:*",
            "tcp://[::1]:5550",
            "tcp://lo:5550", "ipc:///tmp/socket", "inproc://name",
        ]
    )
    func local(endpoint: String) {
        #expect(Exposure.isLocal(endpoint))
    }

    @Test(
        "Whatever is not known to be local is not",
        arguments: [
            "tcp://*:5550", "tcp://0.0.0.0:5550", "tcp://[::]:5550", "tcp://eth0:5550", "tcp://10.0.0.1:5550",
            "tcp://broker:5550", "tcp://127.0.0.1.example.org:5550", "tcp://127.0.0:5550", "tcp://1127.0.0.1:5550",
            "tcp://127.0.0.256:1", "tcp://localhost.example:1", "tcp://127.0.0.1", "pgm://127.0.0.1:5550", "",
            "tcp://:1",
        ]
    )
    func exposed(endpoint: String) {
        #expect(!Exposure.isLocal(endpoint))
    }
}
