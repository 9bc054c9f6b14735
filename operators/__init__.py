"""The controllers: one module or package of kopf handlers per domain."""
