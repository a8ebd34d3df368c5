import ServingModel
import Testing

@testable import Scheduling

@Suite("The queue of what waits to be placed")
struct DeadlineQueueTests {
    @Test("It is what a sorted array would be, over many chunks", arguments: 0..<5)
    func twin(seed: Int) throws {
        var generator = SeededGenerator(seed: UInt64(seed))
        var queue = DeadlineQueue()
        var twin: [UnplacedQuery] = []
        for number in 1...4000 as ClosedRange<UInt64> {
            if twin.isEmpty || Int.random(in: 0..<100, using: &generator) < 60 {
                let entry = try entry(number, age: Int64.random(in: 0..<900, using: &generator))
                queue.insert(entry)
                twin.insert(entry, at: twin.firstIndex { entry < $0 } ?? twin.count)
            } else {
                let isFirst = Bool.random(using: &generator)
                let entry = twin.remove(at: isFirst ? 0 : Int.random(in: twin.indices, using: &generator))
                let isThere = queue.remove(entry)
                let isStillThere = queue.remove(entry)
                #expect(isThere && !isStillThere)
            }
            #expect(queue.first?.number == twin.first?.number && queue.count == twin.count)
            guard number.isMultiple(of: 100) else { continue }
            #expect(Array(queue) == twin)
        }
    }

    @Test("It knows whether all are of one priority and tenant, and how long one may grow at most")
    func uniformity() throws {
        var queue = DeadlineQueue()
        #expect(queue.isUniform && queue.isEmpty && queue.first == nil)
        let (first, second) = (try entry(1, tenant: "a"), try entry(2, tenant: "b"))
        queue.insert(first)
        #expect(queue.isUniform && queue.longestContext == first.longestContext)
        queue.insert(second)
        #expect(!queue.isUniform)
        _ = queue.remove(second)
        #expect(queue.isUniform && queue.count == 1)
        _ = queue.remove(first)
        queue.insert(second)
        #expect(queue.isUniform, "emptied, it takes the next as the measure")
    }

    @Test("What was given up leaves from anywhere, and the others keep their order", arguments: 0..<5)
    func deferred(seed: Int) throws {
        var generator = SeededGenerator(seed: UInt64(seed))
        var queue = DeferredQueue()
        var twin: [UnplacedQuery] = []
        for number in 1...1500 as ClosedRange<UInt64> {
            if twin.isEmpty || Int.random(in: 0..<100, using: &generator) < 55 {
                let entry = try entry(number)
                queue.append(entry)
                twin.append(entry)
            } else {
                let near = min(twin.count, 5)
                let isNear = Int.random(in: 0..<10, using: &generator) < 9
                let position = isNear ? Int.random(in: 0..<near, using: &generator) : twin.indices.last ?? 0
                queue.remove(twin.remove(at: position).number)
            }
            #expect(queue.count == twin.count && queue.first == twin.first && queue.isEmpty == twin.isEmpty)
            guard number.isMultiple(of: 50) else { continue }
            #expect(Array(queue) == twin)
        }
    }

    private func entry(_ number: UInt64, age: Int64 = 0, tenant: String = "") throws -> UnplacedQuery {
        var event = ClusterEvent.queued(number, inputTokens: 10)
        if case .queryQueued(var queued) = event {
            queued.tenant = tenant
            queued.age = .milliseconds(age)
            event = .queryQueued(queued)
        }
        var view = ClusterView()
        view.apply(event, at: .zero + .seconds(2))
        return try #require(view.unplaced.first)
    }
}
