import Testing

@testable import Brokering

/// The broker keeps tens of thousands of these, so that a field more is megabytes more.
///
/// Who adds one that most queries have raises a limit; what few have belongs with the `Seldom` ones.
@Suite("What a query takes of the broker")
struct RecordSizeTests {
    @Test("Records of queries do not grow unnoticed")
    func records() {
        #expect(MemoryLayout<QueryRecord>.size <= 472)
        #expect(MemoryLayout<AttemptRecord>.size <= 120)
        #expect(MemoryLayout<Submission>.size <= 128)
        #expect(MemoryLayout<Reader>.size <= 40)
    }

    @Test("What marks a place as free takes no room beside a record")
    func places() {
        #expect(MemoryLayout<QueryRecord?>.size == MemoryLayout<QueryRecord>.size)
        #expect(MemoryLayout<AttemptRecord?>.size == MemoryLayout<AttemptRecord>.size)
    }
}
