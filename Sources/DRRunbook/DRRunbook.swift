import ArgumentParser

@main struct DRRunbook: AsyncParsableCommand {
    static let configuration = CommandConfiguration(commandName: "drrunbook")
}
