import ServingModel
import Testing

@testable import Actuation

@Suite("When a wish for workers is followed")
struct FleetControllerTests {
    private func wish(_ workers: Int, _ reason: String = "demand") -> FleetWish {
        FleetWish(
            model: "m",
            workers: workers,
            gpusPerWorker: 1,
            reason: reason,
            active: 0,
            starting: 0,
            offeredLoad: 2.5
        )
    }

    private func controller(least: Int = 1, most: Int = 10, cooldown: Int64 = 30) -> FleetController {
        var settings = FleetController.Settings()
        settings.least = least
        settings.most = most
        settings.cooldown = .seconds(cooldown)
        return FleetController(settings)
    }

    @Test("It grows at once, again and again, and shrinks only some time after the last change")
    func cooldown() {
        var controller = controller()
        #expect(controller.decide(wish(3), size: 2, at: .zero)?.to == 3)
        #expect(controller.decide(wish(5), size: 3, at: .zero + .seconds(1))?.to == 5)
        #expect(controller.decide(wish(2, "surplus"), size: 5, at: .zero + .seconds(30)) == nil)
        let decision = controller.decide(wish(2, "surplus"), size: 5, at: .zero + .seconds(31))
        #expect(decision == .init(from: 5, to: 2, reason: "surplus", offeredLoad: 2.5))
    }

    @Test("Limits win over the wish, and are given as the reason")
    func limits() {
        var controller = controller(least: 2, most: 4, cooldown: 0)
        #expect(controller.decide(wish(9), size: 2, at: .zero)?.reason == "most")
        #expect(
            controller.decide(wish(0), size: 4, at: .zero) == .init(from: 4, to: 2, reason: "least", offeredLoad: 2.5)
        )
        #expect(controller.decide(wish(9), size: 4, at: .zero) == nil)
    }

    @Test("Without a wish nothing shrinks, and there are still never too few")
    func silence() {
        var controller = controller(least: 2, most: 4, cooldown: 0)
        #expect(controller.decide(nil, size: 3, at: .zero) == nil)
        #expect(controller.decide(nil, size: 1, at: .zero)?.to == 2)
        #expect(controller.decide(nil, size: 9, at: .zero)?.to == 4)
    }
}
