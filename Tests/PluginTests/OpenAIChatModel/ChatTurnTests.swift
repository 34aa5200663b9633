import RouterCore
import Testing

@testable import OpenAIChatModel

/// How streamed chunks become words and tool calls; what servers really send.
@Suite struct ChatTurnTests {
  struct Case: Sendable, CustomTestStringConvertible {
    var name: String
    var chunks: [String]
    var words = ""
    var calls: [(id: String, name: String, arguments: JSONValue)] = []
    var reason: String?
    var testDescription: String { name }
  }

  private static func delta(_ delta: String, _ reason: String = "null") -> String {
    #"{"id":"c","object":"chat.completion.chunk","choices":[{"index":0,"delta":\#(delta),"finish_reason":\#(reason)}]}"#
  }

  private static func call(_ members: String) -> String { delta(#"{"tool_calls":[{\#(members)}]}"#) }

  private static let cases: [Case] = [
    Case(
      name: "OpenAI's own",
      chunks: [
        delta(#"{"role":"assistant","content":"","refusal":null}"#), delta(#"{"content":"Hel"}"#),
        delta(#"{"content":"lo."}"#), delta("{}", #""stop""#),
        #"{"id":"c","choices":[],"usage":{"prompt_tokens":1,"completion_tokens":2,"total_tokens":3}}"#,
      ], words: "Hello.", reason: "stop"),
    Case(
      name: "arguments in pieces",
      chunks: [
        delta(
          #"{"role":"assistant","content":null,"tool_calls":[{"index":0,"id":"call_1","type":"function","function":{"name":"look","arguments":""}}]}"#
        ),
        call(#""index":0,"function":{"arguments":"{\"a"}"#),
        call(#""index":0,"function":{"arguments":"\":1}"}"#),
        delta("{}", #""tool_calls""#),
      ], calls: [("call_1", "look", ["a": 1])], reason: "tool_calls"),
    Case(
      name: "two at once, interleaved",
      chunks: [
        call(#""index":0,"id":"a","function":{"name":"one","arguments":""}"#),
        call(#""index":1,"id":"b","function":{"name":"two","arguments":""}"#),
        call(#""index":0,"function":{"arguments":"{\"x\":"}"#),
        call(#""index":1,"function":{"arguments":"{\"y\":"}"#),
        call(#""index":0,"function":{"arguments":"1}"}"#), call(#""index":1,"function":{"arguments":"2}"}"#),
        delta("{}", #""stop""#),
      ], calls: [("a", "one", ["x": 1]), ("b", "two", ["y": 2])], reason: "stop"),
    Case(
      name: "no index, whole calls",
      chunks: [
        delta(
          #"{"tool_calls":[{"id":"a","function":{"name":"one","arguments":"{\"x\":1}"}},{"id":"b","function":{"name":"one","arguments":"{\"x\":2}"}}]}"#
        ),
        delta("{}", #""stop""#),
      ], calls: [("a", "one", ["x": 1]), ("b", "one", ["x": 2])], reason: "stop"),
    Case(
      name: "no index, in pieces, the identifier repeated",
      chunks: [
        call(#""id":"a","function":{"name":"one","arguments":"{\"x\""}"#),
        call(#""id":"a","function":{"arguments":":1"}"#), call(#""function":{"arguments":"}"}"#),
        call(#""id":"b","function":{"name":"two"}"#), call(#""id":"a","function":{"arguments":" "}"#),
      ], calls: [("a", "one", ["x": 1]), ("b", "two", [:])]),
    Case(
      name: "no index and no identifier",
      chunks: [
        call(#""function":{"name":"one","arguments":"{}"}"#),
        call(#""function":{"name":"two","arguments":"{}"}"#),
      ], calls: [("call_7_0", "one", [:]), ("call_7_1", "two", [:])]),
    Case(
      name: "all with index 0",
      chunks: [
        call(#""index":0,"id":"a","function":{"name":"one","arguments":"{\"x\":1}"}"#),
        call(#""index":0,"id":"b","function":{"name":"two","arguments":"{\"y\":"}"#),
        call(#""index":0,"function":{"arguments":"2}"}"#),
      ], calls: [("a", "one", ["x": 1]), ("b", "two", ["y": 2])]),
    Case(
      name: "all with index 0 and without identifiers",
      chunks: [
        call(#""index":0,"function":{"name":"one","arguments":"{\"x\":1}"}"#),
        call(#""index":0,"function":{"name":"one","arguments":"{\"x\":2}"}"#),
      ], calls: [("call_7_0", "one", ["x": 1]), ("call_7_1", "one", ["x": 2])]),
    Case(
      name: "name and identifier sent again",
      chunks: [
        call(#""index":0,"id":"a","function":{"name":"one","arguments":"{"}"#),
        call(#""index":0,"id":"a","function":{"name":"one","arguments":"}"}"#),
      ], calls: [("a", "one", [:])]),
    Case(
      name: "the identifier comes late",
      chunks: [
        call(#""index":0,"function":{"name":"one"}"#),
        call(#""index":0,"id":"a","function":{"arguments":"{}"}"#),
      ],
      calls: [("a", "one", [:])]),
    Case(
      name: "the same identifier twice is made two",
      chunks: [
        call(#""index":0,"id":"a","function":{"name":"one","arguments":"{}"}"#),
        call(#""index":1,"id":"a","function":{"name":"two","arguments":"{}"}"#),
      ], calls: [("a", "one", [:]), ("a_1", "two", [:])]),
    Case(
      name: "arguments null, absent, an object, blanks",
      chunks: [
        call(#""index":0,"id":"a","function":{"name":"one","arguments":null}"#),
        call(#""index":1,"id":"b","function":{"name":"two"}"#),
        call(#""index":2,"id":"c","function":{"name":"three","arguments":{"x":1}}"#),
        call(#""index":3,"id":"d","function":{"name":"four","arguments":"  "}"#),
      ], calls: [("a", "one", [:]), ("b", "two", [:]), ("c", "three", ["x": 1]), ("d", "four", [:])]),
    Case(
      name: "a slot without a name is no call",
      chunks: [call(#""index":0,"id":"a","function":{"arguments":"{}"}"#), delta("{}", #""tool_calls""#)],
      reason: "tool_calls"),
    Case(
      name: "the older function_call",
      chunks: [
        delta(#"{"function_call":{"name":"one","arguments":"{\"x\""}}"#),
        delta(#"{"function_call":{"arguments":":1}"}}"#),
        delta("{}", #""function_call""#),
      ], calls: [("call_7_0", "one", ["x": 1])], reason: "function_call"),
    Case(
      name: "words before a call, and other choices",
      chunks: [
        delta(#"{"content":"One moment. "}"#),
        #"{"choices":[{"index":1,"delta":{"content":"not this"}},{"index":0,"delta":{"content":"Yes."}}]}"#,
        call(#""index":0,"id":"a","function":{"name":"one","arguments":"{}"}"#),
        delta("{}", #""tool_calls""#),
      ], words: "One moment. Yes.", calls: [("a", "one", [:])], reason: "tool_calls"),
    Case(
      name: "a refusal is said", chunks: [delta(#"{"refusal":"I cannot."}"#), delta("{}", #""stop""#)],
      words: "I cannot.", reason: "stop"),
    Case(
      name: "no choices at all",
      chunks: [#"{"choices":[],"prompt_filter_results":[]}"#, #"{"id":"x"}"#, #"{"choices":null}"#]),
    Case(
      name: "content in parts",
      chunks: [delta(#"{"content":[{"type":"text","text":"Hel"},{"type":"text","text":"lo"}]}"#)],
      words: "Hello"),
    Case(
      name: "thoughts",
      chunks: [
        delta(#"{"reasoning_content":"hm"}"#), delta(#"{"content":"<th"}"#),
        delta(#"{"content":"ink>let me"}"#),
        delta(#"{"content":" see</thi"}"#), delta(#"{"content":"nk>\n\nIt is <b>."}"#),
        delta(#"{"content":" <think>"}"#),
      ], words: "It is <b>. <think>"),
    Case(name: "thoughts without an end", chunks: [delta(#"{"content":"<think>for ever"}"#)]),
    Case(name: "what might have been a thought", chunks: [delta(#"{"content":"<t"}"#)], words: "<t"),
    Case(
      name: "no stream: a whole completion",
      chunks: [
        #"{"object":"chat.completion","choices":[{"message":{"role":"assistant","content":"Hi.","tool_calls":[{"id":"a","type":"function","function":{"name":"one","arguments":"{}"}}]},"finish_reason":"tool_calls"}]}"#
      ], words: "Hi.", calls: [("a", "one", [:])], reason: "tool_calls"),
    Case(
      name: "odd types",
      chunks: [delta(#"{"content":5,"tool_calls":"x"}"#), #"{"choices":[5]}"#, #"{"choices":{"a":1}}"#]),
  ]

  @Test(arguments: cases) func chunks(_ test: Case) throws {
    var turn = ChatTurn(TurnID(7))
    var pieces: [ChatTurn.Piece] = []
    for chunk in test.chunks { pieces += turn.take(try #require(JSONValue(parsing: chunk), "\(chunk)")) }
    pieces += turn.end()
    var words = ""
    var calls: [ToolCall] = []
    var ends = 0
    for piece in pieces {
      switch piece {
      case .text(let text): words += text
      case .toolCall(let call): calls.append(call)
      case .finished: ends += 1
      case .failed(let words, _): Issue.record("\(words)")
      }
    }
    #expect(words == test.words)
    #expect(
      calls == test.calls.map { ToolCall(id: $0.id, name: $0.name, arguments: $0.arguments, turn: TurnID(7)) }
    )
    #expect(turn.finishReason == test.reason)
    #expect(ends == 1, "one end")
  }

  @Test(arguments: [
    ("{\"x\":", "no valid JSON"), ("{..}{..}", "no valid JSON"), ("[1]", "one JSON object"),
    ("\"x\"", "one JSON object"),
  ])
  func argumentsThatMakeNoSense(_ arguments: String, _ words: String) throws {
    var turn = ChatTurn(TurnID(1))
    let call: JSONValue = [
      "index": 0, "id": "a", "function": ["name": "one", "arguments": .string(arguments)],
    ]
    _ = turn.take(["choices": [["index": 0, "delta": ["tool_calls": [call]]]]])
    guard case .toolCall(let made)? = turn.end().first else {
      Issue.record("the call is told, with its fault")
      return
    }
    #expect(made.fault?.contains(words) == true)
  }

  @Test(
    arguments: [
      (#"{"error":{"message":"overloaded","type":"server_error","code":null}}"#, "overloaded", nil),
      (#"{"error":"out of memory"}"#, "out of memory", nil),
      (#"{"object":"error","message":"too long","code":400}"#, "too long", nil),
      (#"{"error":{"message":"m","code":"content_filter"},"choices":[]}"#, "m", "content_filter"),
    ] as [(String, String, String?)])
  func errorsInTheStream(_ chunk: String, _ words: String, _ code: String?) throws {
    var turn = ChatTurn(TurnID(1))
    #expect(turn.take(try #require(JSONValue(parsing: chunk))) == [.failed(words: words, code: code)])
  }

  @Test func whatHasNoEndIsBounded() {
    var turn = ChatTurn(TurnID(1))
    let piece: JSONValue = .string(String(repeating: "x", count: 100_000))
    for number in 0..<100 {
      let call: JSONValue = ["id": .string("c\(number)"), "function": ["name": "n", "arguments": piece]]
      _ = turn.take([
        "choices": [
          ["index": 0, "delta": ["tool_calls": [call, ["index": 5, "function": ["arguments": piece]]]]]
        ]
      ])
    }
    let calls = turn.end().filter { if case .toolCall = $0 { true } else { false } }
    #expect(calls.count <= ChatTurn.maximumCalls)
  }
}
