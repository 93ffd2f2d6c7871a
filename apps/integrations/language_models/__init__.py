"""Chat models of all services through LangChain, which knows each service's protocol, over our own connections.

LangChain and the services' libraries take seconds to import: nothing outside of the functions here and of the files
``providers/*/model.py`` imports them.
"""
