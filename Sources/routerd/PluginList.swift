internal import ClientTool
internal import DeepgramSpeech
internal import EchoModel
internal import HTTPTool
internal import KnowledgeTool
internal import MCPTool
internal import OfflineModel
internal import OfflineSpeech
internal import OpenAIChatModel
internal import OpenAIRealtimeModel
internal import OpenAISpeech
internal import RouterCore
internal import SIPChannel
internal import SQLiteStore
internal import TelnyxChannel
internal import TwilioChannel
internal import VonageChannel
internal import WebhookModel
internal import WebSearchTool
internal import WebSocketTool

/// Every plugin of this build, a line each. To add one: a folder in Sources/Plugins, a word in Package.swift, a line
/// here, a row in the README's table.
let plugins: [PluginEntry] = [
  .channel(SIPChannel.self),
  .channel(TelnyxChannel.self),
  .channel(TwilioChannel.self),
  .channel(VonageChannel.self),
  .store(SQLiteStore.self),
  .tool(HTTPTool.self),
  .tool(WebSocketTool.self),
  .tool(ClientTool.self),
  .tool(MCPTool.self),
  .tool(KnowledgeTool.self),
  .tool(WebSearchTool.self, for: FunctionDefinition.Kind.webSearch),
  .offlineSpeech(OfflineSpeech.self),
  .speech(OpenAISpeech.self, for: OpenAISpeech.type),
  .speech(DeepgramSpeech.self, for: DeepgramSpeech.type),
  .textModel(OfflineModel(), for: OfflineModel.type),
  .textModel(WebhookModel.self, for: WebhookModel.type),
  .textModel(OpenAIChatModel.self, for: OpenAIChatModel.type),
  .voiceModel(EchoModel(), for: EchoModel.type),
  .voiceModel(OpenAIRealtimeModel.self, for: OpenAIRealtimeModel.type),
  .voiceModel(OpenAIRealtimeModel.self, for: OpenAIRealtimeModel.azureType),
]
