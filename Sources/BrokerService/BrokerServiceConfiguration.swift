package import Brokering
package import Sessions

/// Where a broker listens and what it tolerates.
package struct BrokerServiceConfiguration: Sendable {
    /// `tcp://127.0.0.1:5550` and the like; port `*` takes a free one.
    package var frontendEndpoint = "tcp://127.0.0.1:5550"
    package var workerEndpoint = "tcp://127.0.0.1:5551"
    package var schedulerEndpoint = "tcp://127.0.0.1:5552"
    package var adminEndpoint = "tcp://127.0.0.1:5553"
    package var broker = BrokerConfiguration()
    package var sessions = SessionConfiguration()

    package init() {}
}

/// Where a broker came to listen.
package struct BrokerAddresses: Hashable, Sendable {
    package var frontend: String
    package var worker: String
    package var scheduler: String
    package var admin: String
}
