/// First in, first out.
struct Queue<Element> {
    private var elements: [Element?]
    private var first = 0

    init(_ elements: [Element] = []) { self.elements = elements }

    mutating func append(_ element: Element) { elements.append(element) }

    mutating func popFirst() -> Element? {
        guard first < elements.count else { return nil }
        let element = elements[first]
        elements[first] = nil
        first += 1
        if first == elements.count || first > 1024 {
            elements.removeFirst(first)
            first = 0
        }
        return element
    }

    mutating func removeAll() {
        elements = []
        first = 0
    }
}
