import DRModel
import Testing

struct PointSymbolTests {
    @Test(arguments: [true, false])
    func `Points are counted for each application, and names gathered only where a journal keeps them`(isRecorded: Bool) {
        let symbols = PointSymbols(isRecorded: isRecorded)
        #expect(symbols.symbol(for: "ledger-e1-g1", of: "ledger") == "rp#1")
        #expect(symbols.symbol(for: "ledger-e1-g2", of: "ledger") == "rp#2")
        #expect(symbols.symbol(for: "shop-e1-g1", of: "shop") == "rp#1")
        #expect(symbols.symbol(for: "ledger-e1-g1", of: "ledger") == "rp#1")
        #expect(symbols.unrecorded == (isRecorded ? ["ledger": ["ledger-e1-g1", "ledger-e1-g2"], "shop": ["shop-e1-g1"]] : [:]))
    }
}
