/* IDX files: images of bytes and their labels, plain or compressed by gzip. */
#include <twofold/impl/datasetimpl.h>
#include <zlib.h>
#include "../sys/mpifile.h"

/* Bytes that rank 0 inflates at a time: nothing larger than its own rows ever waits there. */
enum { stream_block = 4 << 20 };

/* What the header of a file says. */
typedef struct {
  MPI_Comm comm;
  const char *path;
  PetscMPIInt rank;
  PetscInt64 size; /* of the file, in bytes */
  PetscBool compressed;
  PetscInt64 dim[3], header; /* sizes, and bytes in front of the data */
} IDXFile;

/* ------------------------------------------------------------------ header */

/* Inflates exactly n bytes behind the `done` ones before. */
static void Inflate(gzFile stream, const char path[], PetscInt64 done, unsigned n, void *buffer,
                    TwofoldFault *fault)
{
  const int got = gzread(stream, buffer, n);
  int error;
  const char *reason = gzerror(stream, &error);

  if (got < 0 || (error && error != Z_BUF_ERROR))
    TwofoldFaultSet(fault, PETSC_ERR_FILE_UNEXPECTED, "%s: the gzip data is damaged (%s)", path, reason);
  else if ((unsigned)got < n)
    TwofoldFaultSet(fault, PETSC_ERR_FILE_UNEXPECTED,
                    "%s ends after %" PetscInt64_FMT " bytes (uncompressed); at least %" PetscInt64_FMT
                    " are needed%s",
                    path, done + got, done + n, error ? ": the gzip file was cut short" : "");
}

static gzFile OpenStream(const char path[], TwofoldFault *fault)
{
  gzFile stream = gzopen(path, "rb");

  if (stream)
    (void)gzbuffer(stream, 1 << 18);
  else
    TwofoldFaultSet(fault, PETSC_ERR_FILE_OPEN, "cannot open %s", path);
  return stream;
}

/* Reads bytes [at, at + n) of the header from whichever of the two is open. */
static void ReadHead(const IDXFile *f, MPI_File plain, gzFile stream, PetscInt64 at, unsigned n,
                     unsigned char head[], TwofoldFault *fault)
{
  if (stream)
    Inflate(stream, f->path, at, n, head + at, fault);
  else if (f->size < at + n)
    TwofoldFaultSet(fault, PETSC_ERR_FILE_UNEXPECTED,
                    "%s has %" PetscInt64_FMT " bytes: too short for an IDX file", f->path, f->size);
  else
    TwofoldFileReadAt(plain, f->path, at, n, head + at, fault);
}

static uint32_t BigEndian(const unsigned char *byte)
{
  return (uint32_t)byte[0] << 24 | (uint32_t)byte[1] << 16 | (uint32_t)byte[2] << 8 | byte[3];
}

/* Rank 0 reads the magic number, which must be that of bytes in two or three dimensions (images) or in one
   (labels), and the sizes behind it. */
static void ReadHeader(IDXFile *f, MPI_File plain, PetscBool images, unsigned char head[16],
                       TwofoldFault *fault)
{
  gzFile stream = NULL;

  if (f->size >= 2) TwofoldFileReadAt(plain, f->path, 0, 2, head, fault);
  f->compressed = (PetscBool)(head[0] == 0x1f && head[1] == 0x8b);
  if (f->compressed) stream = OpenStream(f->path, fault);
  if (!fault->code) ReadHead(f, plain, stream, 0, 4, head, fault);
  const uint32_t magic = BigEndian(head);
  const PetscBool good = (PetscBool)(images ? magic == 0x802 || magic == 0x803 : magic == 0x801);
  if (!good)
    TwofoldFaultSet(fault, PETSC_ERR_FILE_UNEXPECTED,
                    "%s begins with 0x%08x%s; an IDX file of %s begins with %s", f->path, (unsigned)magic,
                    f->compressed ? " (uncompressed)" : "", images ? "images" : "labels",
                    images ? "0x00000803, or 0x00000802 for rows of features" : "0x00000801");
  if (!fault->code) ReadHead(f, plain, stream, 4, 4 * head[3], head, fault);
  if (stream) (void)gzclose_r(stream);
}

static PetscErrorCode Open(MPI_Comm comm, const char path[], PetscBool images, IDXFile *f)
{
  unsigned char head[17] = {0}; /* the file's, and behind it whether it is compressed */
  TwofoldFault fault = {0};
  MPI_File plain;

  PetscFunctionBegin;
  *f = (IDXFile){.comm = comm, .path = path};
  PetscCallMPI(MPI_Comm_rank(comm, &f->rank));
  PetscCall(TwofoldFileOpenRead(comm, path, &plain, &f->size));
  if (f->rank == 0) ReadHeader(f, plain, images, head, &fault);
  PetscCallMPI(MPI_File_close(&plain));
  PetscCall(TwofoldFaultAgree(comm, &fault));
  head[16] = f->compressed;
  PetscCallMPI(MPI_Bcast(head, 17, MPI_UNSIGNED_CHAR, 0, comm));
  f->compressed = head[16] ? PETSC_TRUE : PETSC_FALSE;
  f->header = 4 + 4 * head[3];
  for (int i = 0; i < 3; i++) f->dim[i] = i < head[3] ? BigEndian(head + 4 + 4 * i) : 1;
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* The file must have the size that its header promises; of a gzip file only an upper bound is known yet. */
static PetscErrorCode CheckSizes(const IDXFile *f)
{
  const PetscInt64 n = f->dim[0], most_ratio = 1040; /* deflate shrinks by 1032 at best */

  PetscFunctionBegin;
  PetscCheck(n > 0, f->comm, PETSC_ERR_FILE_UNEXPECTED, "%s holds no samples", f->path);
  PetscCheck(n < PETSC_MAX_INT && f->dim[1] > 0 && f->dim[2] > 0 && f->dim[1] <= INT32_MAX / f->dim[2],
             f->comm, PETSC_ERR_FILE_UNEXPECTED,
             "%s: its header promises %" PetscInt64_FMT " samples of %" PetscInt64_FMT " x %" PetscInt64_FMT
             " bytes: the file is damaged",
             f->path, n, f->dim[1], f->dim[2]);
  const PetscInt64 expected = f->header + n * f->dim[1] * f->dim[2];
  if (f->compressed)
    PetscCheck(expected / most_ratio <= f->size, f->comm, PETSC_ERR_FILE_UNEXPECTED,
               "%s: its header promises %" PetscInt64_FMT " bytes, which a gzip file of %" PetscInt64_FMT
               " bytes cannot hold",
               f->path, expected, f->size);
  else
    PetscCheck(expected == f->size, f->comm, PETSC_ERR_FILE_UNEXPECTED,
               "%s has %" PetscInt64_FMT " bytes where its header promises %" PetscInt64_FMT, f->path,
               f->size, expected);
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* ------------------------------------------------------------------ read */

/* Behind the last sample the gzip file must end, with the check sum that it carries. */
static void CheckStreamEnd(gzFile stream, const char path[], PetscInt64 total, TwofoldFault *fault)
{
  char more;
  int error;

  if (fault->code) return;
  const int got = gzread(stream, &more, 1);
  const char *reason = gzerror(stream, &error);
  if (got > 0)
    TwofoldFaultSet(fault, PETSC_ERR_FILE_UNEXPECTED,
                    "%s goes on behind the %" PetscInt64_FMT " bytes (uncompressed) its header promises",
                    path, total);
  else if (error)
    TwofoldFaultSet(fault, PETSC_ERR_FILE_UNEXPECTED, "%s: the gzip data is damaged at its end (%s)", path,
                    reason);
}

/* Inflates the next n bytes for rank r and sends them; an empty message says that no more will come, so that
   no rank waits for ever. */
static PetscErrorCode SendBlock(const IDXFile *f, gzFile stream, PetscMPIInt r, int n, PetscInt64 done,
                                unsigned char *target, TwofoldFault *fault)
{
  PetscFunctionBegin;
  if (!fault->code) Inflate(stream, f->path, done, (unsigned)n, target, fault);
  if (r) PetscCallMPI(MPI_Send(target, fault->code ? 0 : n, MPI_UNSIGNED_CHAR, r, 0, f->comm));
  PetscFunctionReturn(PETSC_SUCCESS);
}

static PetscErrorCode SendStream(const IDXFile *f, PetscLayout rows, PetscInt64 width, unsigned char *mine,
                                 TwofoldFault *fault)
{
  unsigned char *block, head[16];
  gzFile stream = OpenStream(f->path, fault);
  PetscInt64 done = f->header;

  PetscFunctionBegin;
  PetscCall(PetscMalloc1(stream_block, &block));
  if (stream) Inflate(stream, f->path, 0, (unsigned)f->header, head, fault);
  for (PetscMPIInt r = 0; r < rows->size; r++) {
    const PetscInt64 bytes = (PetscInt64)(rows->range[r + 1] - rows->range[r]) * width;
    for (PetscInt64 at = 0; at < bytes; at += stream_block) {
      const int n = (int)PetscMin(bytes - at, stream_block);
      PetscCall(SendBlock(f, stream, r, n, done, r ? block : mine + at, fault));
      if (fault->code) break;
      done += n;
    }
  }
  if (stream) {
    CheckStreamEnd(stream, f->path, done, fault);
    (void)gzclose_r(stream);
  }
  PetscCall(PetscFree(block));
  PetscFunctionReturn(PETSC_SUCCESS);
}

static PetscErrorCode ReceiveStream(const IDXFile *f, PetscInt64 bytes, unsigned char *mine)
{
  PetscFunctionBegin;
  for (PetscInt64 at = 0; at < bytes; at += stream_block) {
    const int n = (int)PetscMin(bytes - at, stream_block);
    MPI_Status status;
    int got;
    PetscCallMPI(MPI_Recv(mine + at, n, MPI_UNSIGNED_CHAR, 0, 0, f->comm, &status));
    PetscCallMPI(MPI_Get_count(&status, MPI_UNSIGNED_CHAR, &got));
    if (!got) break;
  }
  PetscFunctionReturn(PETSC_SUCCESS);
}

static PetscErrorCode ReadPlain(const IDXFile *f, PetscInt64 offset, PetscInt64 bytes, unsigned char *mine,
                                TwofoldFault *fault)
{
  MPI_File file;
  PetscInt64 size;

  PetscFunctionBegin;
  PetscCall(TwofoldFileOpenRead(f->comm, f->path, &file, &size));
  TwofoldFileReadAt(file, f->path, offset, bytes, mine, fault);
  PetscCallMPI(MPI_File_close(&file));
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* Reads the bytes of this rank's rows; the caller frees them. */
static PetscErrorCode ReadBytes(const IDXFile *f, PetscLayout rows, unsigned char **mine)
{
  const PetscInt64 width = f->dim[1] * f->dim[2], bytes = rows->n * width;
  TwofoldFault fault = {0};

  PetscFunctionBegin;
  PetscCall(PetscMalloc1(bytes + 1, mine));
  if (!f->compressed)
    PetscCall(ReadPlain(f, f->header + rows->rstart * width, bytes, *mine, &fault));
  else if (f->rank == 0)
    PetscCall(SendStream(f, rows, width, *mine, &fault));
  else
    PetscCall(ReceiveStream(f, bytes, *mine));
  PetscCall(TwofoldFaultAgree(f->comm, &fault));
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* ------------------------------------------------------------------ samples */

/* Labels file: the one given, else named as the images are. */
static PetscErrorCode LabelsPath(DataSet ds, const char path[], char labels[], size_t length)
{
  const char *const slash = strrchr(path, '/'), *const name = slash ? slash + 1 : path;

  PetscFunctionBegin;
  if (ds->labels_path[0]) {
    PetscCall(PetscStrncpy(labels, ds->labels_path, length));
    PetscFunctionReturn(PETSC_SUCCESS);
  }
  PetscCheck(strstr(name, "images") && strlen(path) < length, PetscObjectComm((PetscObject)ds),
             PETSC_ERR_FILE_UNEXPECTED,
             "%s: no 'images' in its name to put 'labels' for; name the labels file by -%sdata_labels", path,
             ((PetscObject)ds)->prefix ? ((PetscObject)ds)->prefix : "");
  PetscCall(PetscStrncpy(labels, path, length));
  char *found = strstr(labels + (name - path), "images");
  PetscCall(PetscMemcpy(found, "labels", 6));
  found = strstr(labels + (name - path), "idx3");
  if (found) PetscCall(PetscMemcpy(found, "idx1", 4));
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* Rows without their zeros, bytes scaled to [0, 1]. */
static PetscErrorCode TakePixels(DataSet ds, PetscInt n, PetscInt p, const unsigned char *pixel,
                                 const unsigned char *byte)
{
  const MPI_Comm comm = PetscObjectComm((PetscObject)ds);
  TwofoldFault fault = {0};
  PetscInt64 nnz = 0;
  PetscInt *rowptr, *col, k = 0;
  PetscScalar *val;
  PetscReal *label;

  PetscFunctionBegin;
  for (PetscInt64 i = 0; i < (PetscInt64)n * p; i++) nnz += pixel[i] ? 1 : 0;
  if (nnz >= PETSC_MAX_INT)
    TwofoldFaultSet(&fault, PETSC_ERR_FILE_UNEXPECTED,
                    "%s: %" PetscInt64_FMT
                    " nonzero pixels on one rank; use more ranks or PETSc with 64-bit indices",
                    ds->path, nnz);
  PetscCall(TwofoldFaultAgree(comm, &fault));
  PetscCall(PetscMalloc1(n + 1, &rowptr));
  PetscCall(PetscMalloc1(nnz + 1, &col));
  PetscCall(PetscMalloc1(nnz + 1, &val));
  PetscCall(PetscMalloc1(n + 1, &label));
  rowptr[0] = 0;
  for (PetscInt i = 0; i < n; i++) {
    const unsigned char *const row = pixel + (PetscInt64)i * p;
    for (PetscInt j = 0; j < p; j++) {
      if (!row[j]) continue;
      col[k] = j;
      val[k++] = (PetscReal)row[j] / 255;
    }
    rowptr[i + 1] = k;
    label[i] = byte[i];
  }
  PetscCall(DataSetTakeRows_Private(ds, n, rowptr, col, val, label, p, PETSC_TRUE));
  PetscCall(PetscFree(label));
  PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode DataSetLoad_IDX(DataSet ds, const char path[])
{
  const MPI_Comm comm = PetscObjectComm((PetscObject)ds);
  char labels_path[PETSC_MAX_PATH_LEN];
  IDXFile images, labels;
  unsigned char *pixel, *label;
  PetscLayout rows;

  PetscFunctionBegin;
  PetscCall(LabelsPath(ds, path, labels_path, sizeof(labels_path)));
  PetscCall(Open(comm, path, PETSC_TRUE, &images));
  PetscCall(CheckSizes(&images));
  PetscCall(Open(comm, labels_path, PETSC_FALSE, &labels));
  PetscCall(CheckSizes(&labels));
  PetscCheck(images.dim[0] == labels.dim[0], comm, PETSC_ERR_FILE_UNEXPECTED,
             "%s has %" PetscInt64_FMT " images, but %s has %" PetscInt64_FMT " labels", path, images.dim[0],
             labels_path, labels.dim[0]);
  PetscCall(PetscLayoutCreateFromSizes(comm, PETSC_DECIDE, (PetscInt)images.dim[0], 1, &rows));
  PetscCall(ReadBytes(&images, rows, &pixel));
  PetscCall(ReadBytes(&labels, rows, &label));
  PetscCall(TakePixels(ds, rows->n, (PetscInt)(images.dim[1] * images.dim[2]), pixel, label));
  PetscCall(PetscFree(pixel));
  PetscCall(PetscFree(label));
  PetscCall(PetscLayoutDestroy(&rows));
  PetscFunctionReturn(PETSC_SUCCESS);
}
