import Testing

@testable import Scheduling

/// The scheduler has one of these for each query under way.
@Suite("What a query takes of the scheduler")
struct ViewSizeTests {
    @Test("Views of queries do not grow unnoticed")
    func views() {
        #expect(MemoryLayout<QueryView>.size <= 192)
        #expect(MemoryLayout<QueryView?>.size == MemoryLayout<QueryView>.size)
        #expect(MemoryLayout<WorkerView.Waiting>.size <= 56)
    }
}
