def handler(event, context):
    from google.cloud import bigquery
    from google.cloud import storage
    import docx
    import pkg_resources
    import sensors_of_our_factory

    return bigquery, storage, docx, pkg_resources, sensors_of_our_factory
