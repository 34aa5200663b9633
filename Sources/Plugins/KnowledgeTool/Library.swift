internal import RouterCore

/// All that was read and indexed, by content: a reload that leaves a document alone does not read it again.
actor Library {
  /// What stands in an agent's instructions as it is, in characters; longer things are only looked up.
  static let maximumWhole = 6000
  /// Indexes of FAQs that are kept; agents share them by content.
  static let maximumFAQs = 256

  private let log: Log
  private var documents: [String: Task<[Passage], Never>] = [:]
  private var shelves: [KnowledgeBase: Task<Shelf, any Error>] = [:]
  private var faqShelves: [[AgentConfiguration.FAQ]: Shelf] = [:]

  init(_ log: Log) { self.log = log }

  func prepare(_ bases: [KnowledgeBase]) async {
    let wanted = Set(bases)
    let digests = Set(bases.flatMap(\.files).map(\.digest))
    shelves = shelves.filter { wanted.contains($0.key) }
    documents = documents.filter { digests.contains($0.key) }
    for base in wanted.sorted(by: { $0.name < $1.name }) {
      do {
        let shelf = try await shelf(base)
        log.info("a knowledge base is ready", ("name", base.name), ("short", "\(shelf.whole != nil)"))
      } catch {
        log.error("a knowledge base cannot be indexed: \(error)", ("name", base.name))
      }
    }
  }

  /// A knowledge base with its index; made at the first question.
  func shelf(_ base: KnowledgeBase) async throws -> Shelf {
    if let known = shelves[base] { return try await known.value }
    let documents = base.files.map(passages)
    let task = Task {
      var passages: [Passage] = []
      for document in documents { passages += await document.value }
      let whole = passages.map { "### \($0.title)\n\($0.text)" }.joined(separator: "\n\n")
      let isShort = !whole.isEmpty && whole.count <= Library.maximumWhole
      return Shelf(
        kind: .knowledge, name: base.name, index: try SearchIndex(passages), whole: isShort ? whole : nil)
    }
    shelves[base] = task
    do {
      return try await task.value
    } catch {
      shelves[base] = nil
      throw error
    }
  }

  /// The passages of a file; of none when it cannot be read, which is logged.
  private func passages(_ file: KnowledgeBase.File) -> Task<[Passage], Never> {
    if let known = documents[file.digest] { return known }
    let task = Task.detached(priority: .background) { [log] in
      do {
        let passages = try Documents.passages(of: file.path)
        if passages.isEmpty { log.warning("a document has no text", ("file", file.path)) }
        return passages
      } catch {
        log.error("a document cannot be read: \(error)", ("file", file.path))
        return []
      }
    }
    documents[file.digest] = task
    return task
  }

  func faqs(_ faqs: [AgentConfiguration.FAQ]) throws -> Shelf {
    if let known = faqShelves[faqs] { return known }
    let passages = faqs.map { faq in
      Passage(title: ([faq.question] + faq.phrases).joined(separator: "\n"), text: faq.answer)
    }
    let whole = faqs.map { "Question: \($0.question)\nAnswer: \($0.answer)" }.joined(separator: "\n")
    let shelf = Shelf(
      kind: .faqs(faqs), name: "FAQs", index: try SearchIndex(passages),
      whole: whole.count <= Library.maximumWhole ? whole : nil)
    if faqShelves.count >= Library.maximumFAQs { faqShelves.removeAll() }
    faqShelves[faqs] = shelf
    return shelf
  }
}
