/// What is known by models' names.
///
/// Models are few, mostly, and comparing a name with theirs is quicker than hashing it; beyond the first few a dictionary
/// says where each is.
struct ByModel<Value: Sendable>: Sendable {
    private static var compared: Int { 8 }

    private var entries: [(model: String, value: Value)] = []
    /// Empty while names are compared.
    private var places: [String: Int] = [:]

    var count: Int { entries.count }

    subscript(model: String) -> Value? {
        get { place(of: model).map { entries[$0].value } }
        set {
            switch (place(of: model), newValue) {
            case (let place?, let value?): entries[place].value = value
            case (nil, let value?): append(model, value)
            case (let place?, nil): remove(at: place)
            case (nil, nil): break
            }
        }
    }

    private func place(of model: String) -> Int? {
        guard places.isEmpty else { return places[model] }
        for index in entries.indices where entries[index].model == model { return index }
        return nil
    }

    private mutating func append(_ model: String, _ value: Value) {
        entries.append((model, value))
        if entries.count > Self.compared { index() }
    }

    private mutating func remove(at place: Int) {
        entries.remove(at: place)
        places.removeAll()
        if entries.count > Self.compared { index() }
    }

    /// Models come and go seldom.
    private mutating func index() {
        for (place, entry) in entries.enumerated() { places[entry.model] = place }
    }
}
