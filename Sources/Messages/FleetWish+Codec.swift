internal import CAladdinMessages
internal import ServingModel

extension FleetWish: WireMapped {
    private static let longestReason = 64

    static func read(_ wire: UnsafePointer<Aladdin__V1__FleetWish>) throws(DecodingFailure) -> FleetWish {
        let reason = try Reading.string(wire.pointee.reason, "reason")
        guard reason.utf8.count <= longestReason else { throw DecodingFailure(field: "reason", problem: .outOfRange) }
        var wish = FleetWish(
            model: try Reading.string(wire.pointee.model, "model"),
            workers: Int(wire.pointee.workers),
            gpusPerWorker: Int(wire.pointee.gpus_per_worker),
            reason: reason,
            active: Int(wire.pointee.active),
            starting: Int(wire.pointee.starting),
            offeredLoad: try Reading.finite(wire.pointee.offered_load, "offered_load")
        )
        wish.role = try WorkerRole.read(try Reading.string(wire.pointee.role, "role"), "role")
        return wish
    }

    func write(in arena: inout MessageArena) -> UnsafeMutablePointer<Aladdin__V1__FleetWish> {
        let wire = arena.make(aladdin__v1__fleet_wish__init)
        wire.pointee.model = arena.string(model)
        wire.pointee.workers = Writing.count32(workers)
        wire.pointee.gpus_per_worker = Writing.count32(gpusPerWorker)
        wire.pointee.reason = arena.string(reason)
        wire.pointee.active = Writing.count32(active)
        wire.pointee.starting = Writing.count32(starting)
        wire.pointee.offered_load = Writing.metric(offeredLoad)
        if role != .both { wire.pointee.role = arena.string(role.rawValue) }
        return wire
    }
}
