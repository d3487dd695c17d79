/// A runbook as a tree, so that a part of it can be taken out.
indirect enum RunbookNode: Hashable {
    /// One call, logged with what it answered; `branch`: what is done when its answer is as the condition says.
    case call(verb: String, arguments: String, condition: String?, then: [RunbookNode])
    case line(String)
    case block(head: String, body: [RunbookNode], tail: String)
    case parallel([[RunbookNode]])

    /// Its lists of children.
    var lists: [[RunbookNode]] {
        switch self {
        case .call(_, _, _, let then): [then]
        case .line: []
        case .block(_, let body, _): [body]
        case .parallel(let branches): branches
        }
    }

    func with(_ lists: [[RunbookNode]]) -> RunbookNode {
        switch self {
        case .call(let verb, let arguments, let condition, _):
            .call(verb: verb, arguments: arguments, condition: lists[0].isEmpty ? nil : condition, then: lists[0])
        case .line: self
        case .block(let head, _, let tail): .block(head: head, body: lists[0], tail: tail)
        case .parallel: .parallel(lists)
        }
    }
}

struct GeneratedRunbook: Hashable {
    var nodes: [RunbookNode]

    init(nodes: [RunbookNode]) { self.nodes = nodes }
    init(_ lines: String) { nodes = [.line(lines)] }

    var text: String {
        var writer = RunbookWriter()
        writer.line("-- What a call answered, without what differs from run to run.")
        for line in Self.prelude.split(separator: "\n", omittingEmptySubsequences: false) { writer.line(String(line)) }
        writer.line("return dr.runbook { name = \"generated\", run = function()")
        writer.write(nodes, indent: 1)
        writer.line("end }")
        return writer.lines.joined(separator: "\n") + "\n"
    }

    static let prelude = """
        local open = {}
        -- The recovery point before the newest.
        local function previous(app)
          local points = dr.recovery_points { pair = "east-west", applications = { app } }
          return points[2] and points[2].id or "latest"
        end
        local function tell(name, r)
          if type(r) ~= "table" then dr.log("%s: %s", name, tostring(r)) return end
          local words = {}
          for _, field in ipairs { "active_at", "running", "protected", "changed", "state", "suspended", "removed", "unprotected_since" } do
            local v = r[field]
            if type(v) == "boolean" or type(v) == "string" or type(v) == "number" then words[#words + 1] = field .. "=" .. tostring(v) end
          end
          if type(r.applications) == "table" then
            for app, a in pairs(r.applications) do
              if type(a) == "table" then
                words[#words + 1] = app .. ":" .. tostring(a.state or "") .. tostring(a.active_at or "") .. tostring(a.changed)
              end
            end
          end
          dr.log("%s: %s (%d)", name, table.concat(words, " "), #r)
        end
        """

    /// Every runbook that lacks one part of this one, the largest parts first.
    var smaller: [GeneratedRunbook] { Self.without(nodes).map { GeneratedRunbook(nodes: $0) } }

    private static func without(_ nodes: [RunbookNode]) -> [[RunbookNode]] {
        var found: [[RunbookNode]] = []
        for index in nodes.indices {
            var less = nodes
            less.remove(at: index)
            found.append(less)
        }
        for (index, node) in nodes.enumerated() {
            // What it holds, without itself.
            if case .block = node, let inner = node.lists.first {
                found.append(Array(nodes[..<index]) + inner + Array(nodes[(index + 1)...]))
            }
            for (position, list) in node.lists.enumerated() {
                for less in without(list) {
                    var lists = node.lists
                    lists[position] = less
                    var changed = nodes
                    changed[index] = node.with(lists)
                    found.append(changed)
                }
            }
        }
        return found
    }
}

struct RunbookWriter {
    private(set) var lines: [String] = []
    private var count = 0

    mutating func line(_ text: String, indent: Int = 0) { lines.append(String(repeating: "  ", count: indent) + text) }

    mutating func write(_ nodes: [RunbookNode], indent: Int) {
        for node in nodes {
            switch node {
            case .line(let text): line(text, indent: indent)
            case .block(let head, let body, let tail):
                line(head, indent: indent)
                write(body, indent: indent + 1)
                line(tail, indent: indent)
            case .parallel(let branches):
                line("dr.parallel {", indent: indent)
                for branch in branches {
                    line("function()", indent: indent + 1)
                    write(branch, indent: indent + 2)
                    line("end,", indent: indent + 1)
                }
                line("}", indent: indent)
            case .call(let verb, let arguments, let condition, let then):
                count += 1
                let name = "r\(count)"
                // In a scope of its own: a function has at most 200 locals.
                line("do local \(name) = dr.\(verb) \(arguments)", indent: indent)
                line("tell(\"\(verb)\", \(name))", indent: indent + 1)
                if verb == "drill" { line("open[#open + 1] = \(name)", indent: indent + 1) }
                if let condition {
                    line("if \(condition.replacing("RESULT", with: name)) then", indent: indent + 1)
                    write(then, indent: indent + 2)
                    line("end", indent: indent + 1)
                }
                line("end", indent: indent)
            }
        }
    }
}
