import ServingModel
import Testing

@testable import Journal

@Suite("Who may take the lead over")
struct LeaderWatchTests {
    private static func look(
        _ instance: String = "a",
        beat: Int64 = 1,
        isReleased: Bool = false,
        hasSession: Bool = true
    ) -> LeaderWatch.Look {
        LeaderWatch.Look(
            instance: instance,
            name: "first",
            beat: beat,
            lease: .seconds(4),
            isReleased: isReleased,
            hasSession: hasSession
        )
    }

    private static let second: Int64 = 1_000_000_000

    @Test("Nobody's lead and one that was given back may be taken at once; nothing seen is no lead to take")
    func free() {
        var watch = LeaderWatch()
        #expect(!watch.mayTakeOver(at: 0))
        watch.note(Self.look(""), at: 0)
        #expect(watch.mayTakeOver(at: 0))
        watch.note(Self.look(isReleased: true), at: 1)
        #expect(watch.mayTakeOver(at: 1))
        watch.note(Self.look(), at: 2)
        #expect(!watch.mayTakeOver(at: 2))
    }

    @Test("A leader that beats keeps the lead for ever; one whose beat stands still loses it after its own lease")
    func lease() {
        var watch = LeaderWatch()
        for beat in 0..<20 as Range<Int64> {
            watch.note(Self.look(beat: beat), at: beat * Self.second)
            #expect(!watch.mayTakeOver(at: beat * Self.second))
        }
        watch.note(Self.look(beat: 19), at: 22 * Self.second)
        #expect(!watch.mayTakeOver(at: 23 * Self.second - 1))
        #expect(watch.mayTakeOver(at: 23 * Self.second))
    }

    @Test("What was seen of one leader does not count against the next")
    func nextLeader() {
        var watch = LeaderWatch()
        watch.note(Self.look(beat: 7), at: 0)
        watch.note(Self.look("b", beat: 7), at: 5 * Self.second)
        #expect(!watch.mayTakeOver(at: 8 * Self.second))
        #expect(watch.mayTakeOver(at: 9 * Self.second))
    }

    @Test("A leader without a session has a quarter of its lease to come back, at most a second")
    func sessions() {
        var watch = LeaderWatch()
        watch.note(Self.look(), at: 0)
        watch.note(Self.look(hasSession: false), at: Self.second)
        #expect(!watch.mayTakeOver(at: 2 * Self.second - 1))
        #expect(watch.mayTakeOver(at: 2 * Self.second))
        watch.note(Self.look(hasSession: true), at: 2 * Self.second)
        #expect(!watch.mayTakeOver(at: 3 * Self.second))
        watch.note(Self.look(hasSession: false), at: 3 * Self.second)
        watch.note(Self.look(beat: 2, hasSession: false), at: 3 * Self.second + 900_000_000)
        #expect(!watch.mayTakeOver(at: 4 * Self.second))
        #expect(LeaderWatch.grace(of: .seconds(2)) == .milliseconds(500))
    }
}
