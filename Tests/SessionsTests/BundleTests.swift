import Messages
import ServingModel
import Sessions
import Testing
import ZeroMQ

@Suite("Frames that travel together", .timeLimit(.minutes(1)))
struct BundleTests {
    /// What a raw peer hears until the goodbye, of frames that were sent in one round.
    private func heard(
        _ bodies: [[UInt8]],
        takesBundles: Bool
    ) async throws -> [(header: FrameHeader, body: [UInt8])] {
        let endpoint = ServedEndpoint()
        await endpoint.answerCalls(with: bodies)
        let frames = try call(try await endpoint.open(), takesBundles: takesBundles)
        await endpoint.stop()
        return frames
    }

    private func call(_ address: String, takesBundles: Bool) throws -> [(header: FrameHeader, body: [UInt8])] {
        let peer = try RawPeer(address)
        let session = try peer.hello(takesBundles: takesBundles)
        peer.send(.call, method: .generate, session: session, stream: 1)
        var frames = [try peer.receive()]
        while let last = frames.last, last.header.kind != .goodbye { frames.append(try peer.receive()) }
        return frames
    }

    @Test("A peer that asked for bundles gets a round's frames as one, and then the goodbye")
    func together() async throws {
        let frames = try await heard([[1], [], [2, 3]], takesBundles: true)
        #expect(frames.map(\.header.kind) == [.bundle, .goodbye])
        var inner: [(stream: UInt64, body: [UInt8])] = []
        try FrameBundle.split(frames[0].body) { header, body in
            #expect(header.kind == .item && header.session == frames[0].header.session)
            inner.append((header.stream, body))
        }
        #expect(inner.map(\.stream) == [1, 2, 3])
        #expect(inner.map(\.body) == [[1], [], [2, 3]])
    }

    @Test("One that did not ask gets each frame by itself")
    func apart() async throws {
        let frames = try await heard([[1], [], [2, 3]], takesBundles: false)
        #expect(frames.map(\.header.kind) == [.item, .item, .item, .goodbye])
        #expect(frames.prefix(3).map(\.header.stream) == [1, 2, 3])
        #expect(frames.prefix(3).map(\.body) == [[1], [], [2, 3]])
    }

    @Test("A frame that is alone in its round is no bundle")
    func alone() async throws {
        let frames = try await heard([[7, 7]], takesBundles: true)
        #expect(frames.map(\.header.kind) == [.item, .goodbye])
        #expect(frames[0].body == [7, 7])
    }

    @Test("A large frame keeps its place between small ones")
    func large() async throws {
        let large = [UInt8](repeating: 9, count: 100_000)
        let frames = try await heard([[1], [2], large, [3]], takesBundles: true)
        #expect(frames.map(\.header.kind) == [.bundle, .item, .item, .goodbye])
        #expect(frames[1].body == large)
        #expect(frames[2].body == [3])
    }

    @Test("A connection passes on what came in a bundle, in order")
    func passedOn() async throws {
        let endpoint = ServedEndpoint()
        let peer = ConnectedPeer()
        var events = peer.events.makeAsyncIterator()
        try await peer.connect(to: endpoint.open())
        #expect(await events.next() == .opened(session: 1))
        await endpoint.sendTogether([[1], [2], [3]], to: 1)
        for number in 1...3 {
            #expect(await events.next() == .item(stream: UInt64(number), body: [UInt8(number)]))
        }
        await peer.stop()
        await endpoint.stop()
    }
}
