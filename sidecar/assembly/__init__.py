"""Creates all services and connects them, in one group for each capability. Starts nothing.

    accounts → devices → rules → transfers → background → web

Each group is created from those before it. `runtime` owns the threads, and the command line uses
the parts that it needs.
"""
