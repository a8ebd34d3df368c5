internal import Foundation
internal import Messages
internal import Testing

extension IntegrationTests {
    @Suite struct StatusStress {
        @Test func `Asking for the status a thousand times at once harms neither side`() async throws {
            let files = try TemporaryDirectory()
            let service = try await Service.up(
                "--engine",
                "emulated",
                "--profile",
                try files.profile(stepMilliseconds: 1)
            )
            let endpoints = service.endpoints
            try await withThrowingTaskGroup(of: Void.self) { group in
                for _ in 0..<8 {
                    group.addTask {
                        for _ in 0..<125 {
                            let status = try await endpoints.status()
                            #expect(status.workers.count == 2)
                        }
                    }
                }
                try await group.waitForAll()
            }
            #expect(service.process.isRunning)
        }
    }
}
