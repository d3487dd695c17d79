-- raises: 
return #object()
