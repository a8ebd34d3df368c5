import Messages
import ServingModel
import Testing

@Suite("Bundles of frames")
struct FrameBundleTests {
    private func bundle(of bodies: [[UInt8]]) -> FrameBundle {
        var bundle = FrameBundle()
        for (index, body) in bodies.enumerated() {
            bundle.append(kind: .item, method: .generate, session: 5, stream: UInt64(index + 1)) { $0 += body }
        }
        return bundle
    }

    private func split(_ bytes: [UInt8]) -> (frames: [(FrameHeader, [UInt8])], fault: MalformedFrame?) {
        var frames: [(FrameHeader, [UInt8])] = []
        do throws(MalformedFrame) {
            try FrameBundle.split(bytes) { frames.append(($0, $1)) }
            return (frames, nil)
        } catch {
            return (frames, error)
        }
    }

    @Test("what goes in comes out, in order")
    func roundTrip() {
        let bodies: [[UInt8]] = [[], [1], Array(repeating: 7, count: 70_000), [2, 3]]
        let bundle = bundle(of: bodies)
        #expect(bundle.count == 4)
        let (frames, fault) = split(bundle.bytes)
        #expect(fault == nil)
        #expect(frames.map(\.1) == bodies)
        #expect(frames.map(\.0.stream) == [1, 2, 3, 4])
        #expect(frames.allSatisfy { $0.0.kind == .item && $0.0.method == .generate && $0.0.session == 5 })
    }

    @Test("a bundle that is cut off anywhere gives the frames before the cut, and the fault")
    func cut() {
        let whole = bundle(of: [[1, 2, 3], [4, 5]]).bytes
        for length in 1..<whole.count where length != FrameHeader.byteCount + 3 {
            let (frames, fault) = split(Array(whole.prefix(length)))
            #expect(fault != nil)
            #expect(frames.count == (length < FrameHeader.byteCount + 3 ? 0 : 1))
        }
    }

    @Test("only items and ends may be in one")
    func kinds() {
        var bundle = FrameBundle()
        bundle.append(kind: .end, method: .generate, session: 5, stream: 1) { _ in }
        bundle.append(kind: .call, method: .generate, session: 5, stream: 2) { _ in }
        let (frames, fault) = split(bundle.bytes)
        #expect(frames.count == 1)
        #expect(fault == .unknownKind(FrameKind.call.rawValue))
    }

    @Test("events are appended byte for byte as they are encoded", arguments: 0..<40)
    func appended(seed: UInt64) {
        var random = SeededGenerator(seed: seed)
        for _ in 0..<50 {
            let event = GenerateEvent.draw(&random)
            var bytes: [UInt8] = [1, 2, 3]
            event.append(to: &bytes)
            #expect(bytes == [1, 2, 3] + event.encode())
        }
        for tokens in [
            TokensEvent(firstIndex: 0, count: 0, ids: [], text: ""),
            TokensEvent(firstIndex: 127, count: 128, ids: [0, 127, 128, .max], text: "a\u{0}b"),
            TokensEvent(firstIndex: 1 << 20, count: 1, ids: [-1], text: String(repeating: "ä", count: 100)),
        ] {
            var bytes: [UInt8] = []
            GenerateEvent.tokens(tokens).append(to: &bytes)
            #expect(bytes == GenerateEvent.tokens(tokens).encode())
        }
    }
}
