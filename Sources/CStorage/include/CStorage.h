#ifndef CSTORAGE_H
#define CSTORAGE_H
#endif
