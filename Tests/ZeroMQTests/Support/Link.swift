import ServingModel
import Testing
import ZeroMQ

/// A router and a dealer that have met.
struct Link {
    let router: Socket
    let dealer: Socket
    let endpoint: String

    /// What the router calls the dealer.
    let peer: RoutingID

    init(
        router routerOptions: SocketOptions = .broker,
        dealer dealerOptions: SocketOptions = .peer,
        context: Context = .shared
    ) throws {
        router = try Socket(.router, options: routerOptions, context: context)
        endpoint = try router.bind("tcp://127.0.0.1:*")
        dealer = try Socket(.dealer, options: dealerOptions, context: context)
        try dealer.connect(endpoint)
        dealer.sendWaiting([[UInt8]("hello")])
        let hello = try router.next()
        try #require(hello.frames == [[UInt8]("hello")])
        peer = try #require(hello.from)
    }

    func close() {
        dealer.close()
        router.close()
    }
}
