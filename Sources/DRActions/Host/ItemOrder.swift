internal import DRModel
internal import DRSupport

/// Items in waves, as `in_order` and the moves go through them: applications by name, or tables with `name` and `after`.
struct ItemOrder {
    let waves: [[String]]
    /// For each item those it waits for, of those in the list.
    let needs: [String: [String]]

    /// `after`: another order for this time, by item. Throws `invalid-input`, `unknown-name`, `configuration` (a cycle, named).
    init(items: Value, after: Value, inventory: Inventory) throws {
        var needs: [String: [String]] = [:]
        if items.string == "all" {
            for application in inventory.applications { needs[application.name.text] = application.after.map(\.text) }
        } else {
            for item in items.list ?? [] {
                switch item {
                case .string(let name): needs[name] = inventory.application(named: name)?.after.map(\.text) ?? []
                case .map(let members):
                    guard let name = members["name"]?.string else {
                        throw DRError(.invalidInput, "in_order: an item is a name or { name = ..., after = {...} }")
                    }
                    needs[name] = members["after"]?.list?.compactMap(\.string) ?? []
                default: throw DRError(.invalidInput, "in_order: an item is a name or { name = ..., after = {...} }, got \(item.kind)")
                }
            }
        }
        guard !needs.isEmpty else { throw DRError(.invalidInput, "in_order: the items match nothing") }
        func isKnown(_ name: String) -> Bool { needs[name] != nil || inventory.application(named: name) != nil }
        func unknown(_ name: String) -> DRError {
            let known = Set(needs.keys).union(inventory.applications.map(\.name.text))
            return DRError(.unknownName, "after: there is no item \"\(name)\"\(Spelling.hint(for: name, in: known))")
        }
        for (name, earlier) in after.map ?? [:] {
            guard needs[name] != nil else { throw unknown(name) }
            needs[name] =
                try earlier.list?.map { item in
                    guard let text = item.string, isKnown(text) else { throw unknown(item.string ?? item.kind) }
                    return text
                } ?? []
        }
        for (name, earlier) in needs {
            if let stranger = earlier.first(where: { !isKnown($0) }) { throw unknown(stranger) }
            needs[name] = earlier.filter { needs[$0] != nil }.sorted()
        }
        self.needs = needs
        waves = try DependencyOrder(needs, of: "items").waves
    }
}
