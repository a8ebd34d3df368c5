import Brokering
import ServingModel
import Testing

@Suite("Admission control")
struct AdmissionControlTests {
    @Test("An idle service refuses nobody, not even what it can't do in time")
    func idle() {
        var rig = AdmissionRig()
        #expect(rig.isAdmitted(AdmissionRig.candidate(tokens: 900_000)) == true)
        let hasty = ServiceLevelObjective(timeToFirstToken: .milliseconds(1), averageTokenTime: .milliseconds(1))
        #expect(rig.isAdmitted(AdmissionRig.candidate(objective: hasty)) == true)
    }

    @Test("Without workers all are let in: the broker knows what to do with them")
    func noWorkers() {
        var rig = AdmissionRig(workers: 0)
        for _ in 0..<100 { #expect(rig.isAdmitted() == true) }
    }

    @Test("A service that has just started refuses a crowd that can't all be served, and predicts why")
    func crowd() throws {
        var rig = AdmissionRig()
        var admitted = 0
        var refusal: AdmissionRefusal?
        while refusal == nil, admitted < 10_000 {
            refusal = rig.offer(AdmissionRig.candidate(tokens: 4000))
            if refusal == nil { admitted += 1 }
        }
        let found = try #require(refusal)
        // 0.4 s each on four workers: about two rounds are in time, and the third is not.
        #expect((6...9).contains(admitted))
        #expect(found.fails == .timeToFirstToken)
        #expect(found.predictedTimeToFirstToken > AdmissionRig.objective.timeToFirstToken)
        #expect(found.status.reason == .overloaded && found.status.code == .resourceExhausted)
        #expect(found.status.message.contains("the objective is 1000 ms"))
    }

    @Test("Answers under way that leave no more token time refuse newcomers for it")
    func pace() throws {
        var rig = AdmissionRig()
        // 20 ms + 27 · 1 ms is just below 0.95 · 50 ms.
        rig.run(4 * 26)
        rig.decode(seconds: 30, sequences: 26)
        #expect(rig.isAdmitted() == true)
        rig.run(4)
        rig.decode(seconds: 30, sequences: 27)
        let answer = rig.offer()
        let refusal = try #require(answer)
        #expect(refusal.fails == .averageTokenTime)
        #expect(refusal.predictedTokenTime > AdmissionRig.objective.averageTokenTime)
        #expect(refusal.predictedTimeToFirstToken < AdmissionRig.objective.timeToFirstToken)
        #expect(refusal.status.message.contains("the objective is 50 ms"))
        rig.end(12)
        #expect(rig.isAdmitted() == true)
    }

    @Test("A short peak is let in, and what stays is not")
    func peak() {
        var rig = AdmissionRig()
        rig.run(4 * 24)
        rig.decode(seconds: 30, sequences: 24)
        // 20 ms + 29 · 1 ms is above 0.95 of 50 ms, and within 1.1 of that.
        rig.run(4 * 4)
        #expect(rig.isAdmitted() == true)
        rig.decode(seconds: 30, sequences: 28)
        #expect(rig.fails(by: .averageTokenTime) == true)
    }

    @Test("A token time that is out of reach even for a query alone is no reason to refuse for load")
    func unreachable() throws {
        var rig = AdmissionRig()
        rig.run(4 * 10)
        rig.decode(seconds: 30, sequences: 10)
        let hasty = ServiceLevelObjective(timeToFirstToken: .seconds(1), averageTokenTime: .milliseconds(1))
        for _ in 0..<20 { #expect(rig.isAdmitted(AdmissionRig.candidate(objective: hasty)) == true) }
        // Nor does it keep others out, who can have theirs.
        #expect(rig.isAdmitted() == true)
    }

    @Test("Workers that are slower than their profile admit fewer")
    func slowWorkers() {
        var rig = AdmissionRig()
        rig.run(4 * 20)
        rig.decode(seconds: 20, sequences: 20)
        #expect(rig.isAdmitted() == true)
        rig.decode(seconds: 20, sequences: 20, factor: 1.3)
        #expect(rig.fails(by: .averageTokenTime) == true)
        rig.decode(seconds: 40, sequences: 20)
        #expect(rig.isAdmitted() == true)
    }

    @Test("A full KV cache makes newcomers wait, and is foreseen")
    func memory() throws {
        var rig = AdmissionRig(cacheTokens: 4000)
        rig.run(4 * 9, tokens: 400)
        rig.decode(seconds: 30, sequences: 9, context: 400)
        #expect(rig.isAdmitted(AdmissionRig.candidate(tokens: 100)) == true)
        let answer = rig.offer(AdmissionRig.candidate(tokens: 3000))
        let refusal = try #require(answer)
        #expect(refusal.fails == .timeToFirstToken)
    }

    @Test("A queue that stands still is believed over the profile")
    func standingQueue() throws {
        var rig = AdmissionRig()
        rig.run(4)
        for _ in 0..<8 { rig.offer() }
        // A policy may hold them for a while: that is no sign yet.
        rig.now = rig.now + .milliseconds(700)
        #expect(rig.isAdmitted() == true)
        // When they are late they are no longer ahead, but it has been seen.
        rig.now = rig.now + .milliseconds(400)
        for _ in 0..<8 { rig.offer() }
        rig.now = rig.now + .milliseconds(500)
        let answer = rig.offer()
        let refusal = try #require(answer)
        #expect(refusal.fails == .timeToFirstToken)
    }

    @Test("Tighter queries under way keep out a looser one that would slow them down")
    func mixedObjectives() throws {
        var rig = AdmissionRig()
        rig.run(4 * 28)
        rig.decode(seconds: 30, sequences: 28)
        let patient = ServiceLevelObjective(timeToFirstToken: .seconds(10), averageTokenTime: .seconds(1))
        let answer = rig.offer(AdmissionRig.candidate(objective: patient))
        let refusal = try #require(answer)
        #expect(refusal.neededTokenTime < patient.averageTokenTime)
        #expect(refusal.status.message.contains("queries under way need 50 ms"))
    }

    @Test("The time to retry grows with those told before, within bounds, and shrinks as they have their turn")
    func retryAfter() throws {
        var rig = AdmissionRig()
        rig.run(4 * 30)
        rig.decode(seconds: 30, sequences: 30)
        var delays: [Interval] = []
        for _ in 0..<5000 {
            let refusal = rig.offer()
            delays.append(try #require(refusal).retryAfter)
        }
        #expect(zip(delays, delays.dropFirst()).allSatisfy { $0 <= $1 })
        let bounds = rig.control.settings.retryAfter
        #expect(delays.allSatisfy { bounds.contains($0) })
        let last = try #require(delays.last)
        #expect(delays[0] < last && last == bounds.upperBound)
        rig.decode(seconds: 50, sequences: 30)
        let later = rig.offer()
        #expect(try #require(later).retryAfter < last)
        #expect(rig.control.refusedForTokenTime == 5001 && rig.control.refusedForFirstToken == 0)
    }
}
