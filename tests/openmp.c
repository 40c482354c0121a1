/* OpenMP for the thread sanitizer: the few calls that the kernels make, on POSIX threads.

The sanitizer knows the threads and barriers of POSIX. It does not know those of libgomp, which wait on memory of their own: with
libgomp it reports a race at every barrier. Rejected: a list of reports to ignore, which would hide races of the kernels, too.
With LONGLAG_NO_BARRIER set barriers do nothing: a control, in which races must be reported. */
#include <pthread.h>
#include <stdlib.h>

typedef struct {
    void (*work)(void *);
    void *data;
    int number, count;
    pthread_barrier_t *barrier;
} Member;

/* In the thread's own block: the sanitizer reports one that the loader frees. */
static __thread Member *self __attribute__((tls_model("initial-exec")));

int omp_get_thread_num(void) { return self ? self->number : 0; }
int omp_get_num_threads(void) { return self ? self->count : 1; }
int omp_get_max_threads(void) { return 1; }

void GOMP_barrier(void)
{
    if (self && !getenv("LONGLAG_NO_BARRIER"))
        pthread_barrier_wait(self->barrier);
}

static void *begin(void *member)
{
    self = member;
    self->work(self->data);
    self = NULL;
    return NULL;
}

void GOMP_parallel(void (*work)(void *), void *data, unsigned count, unsigned flags)
{
    Member members[count];
    pthread_t threads[count];
    pthread_barrier_t barrier;
    (void)flags;
    pthread_barrier_init(&barrier, NULL, count);
    for (unsigned i = 0; i < count; i++) {
        members[i] = (Member){work, data, (int)i, (int)count, &barrier};
        if (i && pthread_create(&threads[i], NULL, begin, &members[i]))
            abort();
    }
    begin(&members[0]);
    for (unsigned i = 1; i < count; i++)
        pthread_join(threads[i], NULL);
    pthread_barrier_destroy(&barrier);
}
