"""Our values to LangChain's."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from apps.integrations.contracts.ai import ChatRequest, Message, Tool

if TYPE_CHECKING:
    from langchain_core.messages import BaseMessage


def to_messages(request: ChatRequest) -> list[BaseMessage]:
    """The conversation. Texts only: LangChain would fetch pictures by itself, past our guard."""
    from langchain_core.messages import SystemMessage

    system: list[BaseMessage] = [SystemMessage(request.system)] if request.system else []
    return [*system, *(_message(message) for message in request.messages)]


def _message(message: Message) -> BaseMessage:
    from langchain_core.messages import AIMessage, HumanMessage, ToolMessage

    if message.role == "user":
        return HumanMessage(message.text)
    if message.role == "tool":
        status: Any = "error" if message.failed else "success"
        return ToolMessage(message.text, tool_call_id=message.answers, status=status)
    calls: Any = [
        {"type": "tool_call", "id": call.id, "name": call.name, "args": dict(call.arguments)}
        for call in message.tool_calls
    ]
    return AIMessage(message.text, tool_calls=calls)


def to_tools(tools: tuple[Tool, ...]) -> list[dict[str, Any]]:
    """Tools in the shape that LangChain turns into every service's own."""
    return [
        {
            "type": "function",
            "function": {
                "name": tool.name,
                "description": tool.description,
                "parameters": dict(tool.parameters),
            },
        }
        for tool in tools
    ]
