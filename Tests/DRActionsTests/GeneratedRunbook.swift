import DRModel

/// Numbers from a seed: the same ones each time.
struct SeededNumbers {
    private var state: UInt64
    init(_ seed: UInt64) { state = seed &* 0x9E37_79B9_7F4A_7C15 }

    mutating func next() -> UInt64 {
        state = state &+ 0x9E37_79B9_7F4A_7C15
        var z = state
        z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
        z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
        return z ^ (z >> 31)
    }

    /// At least 0, less than `bound`.
    mutating func below(_ bound: Int) -> Int { Int(next() % UInt64(max(bound, 1))) }
    mutating func isOne(in bound: Int) -> Bool { below(bound) == 0 }
    mutating func pick<Element>(_ elements: [Element]) -> Element { elements[below(elements.count)] }
}

/// A small runbook with branches. What it notes of the order in which its branches heard their answers it puts into its record, so that a replay with another order
/// differs.
struct GeneratedRunbook {
    /// Calls outside, by what they are called with; none is made twice.
    private(set) var calls: Set<String> = []
    /// Those of them that owe an undo as soon as the script knows that they were made: `suspend NAME` of the engine.
    private(set) var owing: Set<String> = []
    /// Those that are made at the end of the run.
    private(set) var closing: Set<String> = []
    private(set) var fails = false
    private(set) var text = ""
    private var numbers: SeededNumbers
    private var size = 0

    init(text: String, calls: Set<String>, owing: Set<String>) {
        (self.text, self.calls, self.owing) = (text, calls, owing)
        numbers = SeededNumbers(0)
    }

    init(seed: UInt64) {
        numbers = SeededNumbers(seed)
        var lines = [#"local heard = """#]
        if numbers.isOne(in: 3) { lines.append("dr.finally(function() \(body(depth: 1, most: 2, owes: false)) end)") }
        closing = calls
        // Something is always under way beside something else.
        lines.append(numbers.isOne(in: 3) ? items(depth: 1) : branches(depth: 1))
        if numbers.isOne(in: 2) { lines.append(body(depth: 0, most: 3)) }
        switch numbers.below(6) {
        case 0: lines.append(#"dr.log("at the end: %s", heard)"#)
        case 1: lines.append("dr.results { heard = heard }")
        case 2: lines.append("dr.random() dr.now()")
        case 3:
            lines.append(#"dr.fail("enough")"#)
            fails = true
        default: break
        }
        text = lines.joined(separator: "\n")
    }

    private mutating func body(depth: Int, most: Int, owes: Bool = true) -> String {
        (0...numbers.below(most)).map { _ in statement(depth: depth, owes: owes) }.joined(separator: "\n")
    }

    private mutating func statement(depth: Int, owes: Bool) -> String {
        size += 1
        switch numbers.below(depth < 2 && size < 12 ? 12 : 10) {
        case 0...3: return call(item: nil, owes: owes)
        case 4: return #"dr.migrate { pair = "east-west", applications = { "ledger" } } heard = heard .. "m""#
        case 5: return #"dr.sleep("1s") heard = heard .. "s""#
        case 6: return #"dr.log("%s", heard)"#
        case 7: return #"heard = heard .. tostring(dr.random()):sub(3, 4)"#
        case 8: return #"dr.step("s", function() heard = heard .. "p" end)"#
        case 9: return #"pcall(dr.exec, { argv = { "do", "fails" }, idempotent = true }) heard = heard .. "f""#
        case 10: return branches(depth: depth + 1, owes: owes)
        default: return items(depth: depth + 1, owes: owes)
        }
    }

    // `item`: names of a Lua variable's values that make it more than one call.
    private mutating func call(item: (variable: String, values: [String])?, owes: Bool) -> String {
        let name = "t\(calls.count)"
        let isOwing = owes && numbers.below(3) > 0
        for value in item?.values ?? [""] {
            calls.insert(name + value)
            if isOwing { owing.insert(name + value) }
        }
        let argument = #""\#(name)""# + (item.map { " .. \($0.variable)" } ?? "")
        let undo = "dr.undo(function() dr.suspend_schedule { name = \(argument) } end, { name = \(argument) })"
        return #"dr.exec { argv = { "do", \#(argument) } } heard = heard .. \#(argument)"# + (isOwing ? "\n\(undo)" : "")
    }

    private mutating func branches(depth: Int, owes: Bool = true) -> String {
        let functions = (0..<2 + numbers.below(2)).map { _ in
            "function() \(call(item: nil, owes: owes)) \(body(depth: depth, most: 3, owes: owes)) end"
        }
        return "dr.parallel { \(functions.joined(separator: ",\n")) }"
    }

    private mutating func items(depth: Int, owes: Bool = true) -> String {
        let names = ["a", "b", "c", "d"].prefix(3 + numbers.below(2))
        let list = names.map { #"{ name = "\#($0)" }"# }.joined(separator: ", ")
        let first = call(item: ("item.name", Array(names)), owes: owes)
        let more = numbers.isOne(in: 2) ? call(item: ("item.name", Array(names)), owes: owes) : #"dr.log("%s", heard)"#
        // What makes no record of its own goes on at once, too.
        let skipped = numbers.isOne(in: 3) ? #"if item.name == "b" then heard = heard .. "b" return end"# : ""
        if !skipped.isEmpty { forget(item: "b", in: [first, more]) }
        return "dr.in_order({ \(list) }, { parallel = 2 }, function(item) \(skipped) \(first) \(more) end)"
    }

    private mutating func forget(item: String, in calls: [String]) {
        for name in self.calls where name.hasSuffix(item) && calls.contains(where: { $0.contains(#""\#(name.dropLast())" .. item.name"#) })
        {
            self.calls.remove(name)
            owing.remove(name)
        }
    }
}
