import Testing

@testable import Brokering

@Suite("Who reads an answer")
struct ReaderListTests {
    private func stream(_ number: UInt64) -> StreamKey {
        StreamKey(session: SessionID(rawValue: 1), stream: number)
    }

    private func streams(of list: ReaderList) -> [UInt64] {
        list.map(\.stream)
    }

    @Test("Readers are told in the order in which they came, however many")
    func order() {
        var list = ReaderList()
        #expect(list.isEmpty && streams(of: list) == [])
        list.append(stream(3))
        #expect(list.isOnly(stream(3)) && streams(of: list) == [3])
        list.append(stream(1))
        list.append(stream(2))
        #expect(!list.isOnly(stream(3)) && list.contains(stream(1)) && streams(of: list) == [3, 1, 2])
        list.remove(stream(1))
        list.remove(stream(9))
        #expect(streams(of: list) == [3, 2])
        list.remove(stream(3))
        #expect(list.isOnly(stream(2)))
        list.remove(stream(2))
        #expect(list.isEmpty && !list.contains(stream(2)))
    }
}
