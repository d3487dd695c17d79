import DRSupport
import Testing

@Suite struct SpellingTests {
    @Test(arguments: [
        ("aplications", "applications"), ("objectstore", "object_store"), ("migarte", "migrate"), ("Failover", "failover"),
    ])
    func `a slip of the fingers finds the name that was meant`(typed: String, meant: String) {
        let names = ["applications", "object_store", "migrate", "failover", "failback", "pair"]
        #expect(Spelling.nearest(to: typed, in: names) == meant)
    }

    @Test func `a word that resembles nothing gets no suggestion`() {
        #expect(Spelling.nearest(to: "zebra", in: ["applications", "pair"]) == nil)
    }
}

@Suite struct DigestTests {
    @Test func `the digest of the empty string is the published one`() {
        #expect(Digest.hex(of: "") == "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855")
    }
}

@Suite struct ThreadExecutorTests {
    actor Counter {
        let executor: ThreadExecutor
        nonisolated var unownedExecutor: UnownedSerialExecutor { executor.asUnownedSerialExecutor() }
        var seen: [Int] = []
        init(executor: ThreadExecutor) { self.executor = executor }
        func note(_ number: Int) { seen.append(number) }
    }

    @Test func `an actor bound to a thread runs there in the order of its calls`() async {
        let executor = ThreadExecutor(name: "counter")
        let counter = Counter(executor: executor)
        for number in 0..<100 { await counter.note(number) }
        #expect(await counter.seen == Array(0..<100))
        executor.stop()
    }
}

@Suite struct VisibleTests {
    @Test func `what a terminal or an XML reader would obey is shown instead, and all else stays as it is`() {
        for plain in ["", "ledger -> west", "zwölf\tÜ\n日本 👩‍👩‍👧", "e\u{301}"] { #expect(plain.visible == plain) }
        #expect("a\u{1B}[2Jb".visible == "a\\u{1B}[2Jb")
        #expect("\r\u{0}\u{7F}\u{9B}\u{202E}\u{2028}\u{FFFE}".visible == "\\u{D}\\u{0}\\u{7F}\\u{9B}\\u{202E}\\u{2028}\\u{FFFE}")
        #expect("a\r\nb".visible == "a\\u{D}\nb")
    }
}
