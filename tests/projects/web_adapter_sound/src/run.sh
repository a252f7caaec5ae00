#!/bin/bash

PYTHONPATH=$PYTHONPATH:/opt/python exec python web/server.py
