-- raises: has no field
return object().nothing
