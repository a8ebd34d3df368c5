import Brokering
import ServingModel
import Testing

@Suite("Who is refused first")
struct AdmissionOrderTests {
    /// How many of a kind are let in beside `running` on each worker.
    private func admitted(_ candidate: AdmissionCandidate, running: Int, of priority: Int = 0) -> Int {
        var rig = AdmissionRig()
        rig.run(4 * running, priority: priority)
        rig.decode(seconds: 30, sequences: running)
        var count = 0
        while count < 200, rig.offer(candidate) == nil { count += 1 }
        return count
    }

    @Test("Sheddable queries are refused first, those of a higher priority last")
    func priorities() {
        let counts = [-1, 0, 1].map { admitted(AdmissionRig.candidate(priority: $0), running: 10) }
        #expect(counts[0] < counts[1] && counts[1] < counts[2], "\(counts)")
    }

    @Test("A higher priority makes its room among lower ones, but not without end")
    func headroom() {
        let high = AdmissionRig.candidate(priority: 5)
        let beside = admitted(high, running: 28)
        #expect(beside > 0 && beside < 4 * 10)
        #expect(admitted(AdmissionRig.candidate(), running: 28) == 0)
        #expect(admitted(high, running: 28, of: 5) == 0)
    }

    @Test("A tenant that had more than its share is refused before one that had less")
    func tenants() {
        var rig = AdmissionRig()
        rig.run(4 * 24)
        rig.decode(seconds: 30, sequences: 24)
        // Both ask all the time, one of them nine times as often, until not all get in.
        for _ in 0..<10 {
            for _ in 0..<9 { rig.offer(AdmissionRig.candidate(tenant: "many")) }
            rig.offer(AdmissionRig.candidate(tenant: "few"))
            rig.startAll()
            rig.now = rig.now + .milliseconds(100)
        }
        // 20 ms + 26 · 1 ms is between 0.9 and 0.95 of 50 ms.
        rig.end(rig.underWay.count - 4 * 26)
        #expect(rig.fails(AdmissionRig.candidate(tenant: "many"), by: .averageTokenTime) == true)
        #expect(rig.isAdmitted(AdmissionRig.candidate(tenant: "few")) == true)
    }

    @Test("Random events in any order leave the sums right and nothing behind", arguments: 1...20)
    func randomEvents(seed: UInt64) {
        var generator = SeededGenerator(seed: seed)
        var control = AdmissionRig(workers: 3).control
        var now = Instant.zero
        var live: [QueryNumber] = []
        for step in 0..<2000 {
            now = now + .milliseconds(Int64.random(in: 0...50, using: &generator))
            let number = live.randomElement(using: &generator)
            switch Int.random(in: 0..<6, using: &generator) {
            case 0, 1, 2:
                let candidate = AdmissionRig.candidate(
                    tokens: Int.random(in: 1...2000, using: &generator),
                    priority: Int.random(in: -2...2, using: &generator),
                    tenant: "\(Int.random(in: 0..<4, using: &generator))"
                )
                guard case .admit = control.verdict(for: candidate, at: now) else { break }
                control.queryQueued(QueryNumber(rawValue: UInt64(step)), candidate, at: now)
                live.append(QueryNumber(rawValue: UInt64(step)))
            case 3: if let number { control.firstToken(number, at: now) }
            case 4: if let number { control.queryRequeued(number, at: now) }
            default:
                guard let number else { break }
                control.queryEnded(number, outputTokens: Bool.random(using: &generator) ? 10 : nil, at: now)
                live.removeAll { $0 == number }
            }
            control.checkInvariants()
            #expect(control.underWay == live.count)
        }
        for number in live { control.queryEnded(number, outputTokens: nil, at: now) }
        control.checkInvariants()
        #expect(control.underWay == 0)
    }
}
